/** One entry of system-packages.json: a program, a Python module or a file proves that the package is there. */
export interface SystemTool {
  readonly package: string;
  readonly program?: string;
  readonly python?: string;
  /** For a package without either: a file of it. */
  readonly file?: string;
  /** More programs of the package that the tests use. */
  readonly also?: readonly string[];
  readonly for: string;
  /** A service that the package starts by itself where there is systemd. */
  readonly service?: string;
}

export const systemTools: readonly SystemTool[];

export function findTool(tool: Pick<SystemTool, "program" | "python" | "file">): string | undefined;
