/** Loads the application that is to run. */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Application } from "../../firmware/board/application";
import { Failure } from "../failure";

const SENSOR_BOARD = fileURLToPath(new URL("../../firmware/apps/sensor-board.ts", import.meta.url));
const SECURE_SENSOR_BOARD = fileURLToPath(new URL("../../firmware/apps/secure-sensor-board.ts", import.meta.url));

/** The file of the sensor board that ships: of the one that has TLS, for a broker that is to be reached by it. */
export function sensorBoardFor(tls: boolean): string {
  return tls ? SECURE_SENSOR_BOARD : SENSOR_BOARD;
}

/** `path`: a TypeScript file that exports an application by default; undefined: the sensor board that ships. */
export async function loadApplication(path: string | undefined, tls: boolean): Promise<Application> {
  const file = path === undefined ? sensorBoardFor(tls) : resolve(path);
  if (path !== undefined) await checkTypes(path);
  let module: unknown;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Failure(`${path ?? file}: cannot be loaded: ${reason ?? "unknown reason"}`);
  }
  const application = defaultExportOf(module);
  if (!isApplication(application)) {
    throw new Failure(`${path ?? file}: exports no application by default: write "export default board({ … })"`);
  }
  return application;
}

/** A rule that names no reading, or a unit that does not fit, is an error with its place, not a board that starts. */
async function checkTypes(path: string): Promise<void> {
  const [{ typeProblems }, { lineOf }] = await Promise.all([import("../build/compile"), import("../build/problem")]);
  const [first, ...others] = typeProblems(path);
  if (first === undefined) return;
  throw new Failure(`${lineOf(first)}${others.length === 0 ? "" : ` (and ${others.length} more)`}`);
}

function defaultExportOf(module: unknown): unknown {
  return typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
}

function isApplication(value: unknown): value is Application {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "boot" in value &&
    typeof value.boot === "function"
  );
}
