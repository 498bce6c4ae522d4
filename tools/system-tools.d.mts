/** One entry of system-packages.json: either a program or a Python module proves that the package is there. */
export interface SystemTool {
  readonly package: string;
  readonly program?: string;
  readonly python?: string;
  /** More programs of the package that the tests use. */
  readonly also?: readonly string[];
  readonly for: string;
  /** A service that the package starts by itself where there is systemd. */
  readonly service?: string;
}

export const systemTools: readonly SystemTool[];

export function findTool(tool: SystemTool): string | undefined;
