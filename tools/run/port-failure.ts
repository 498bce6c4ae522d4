/** What is said when a serial port cannot be had, with what to do about it. */
import { readFileSync, statSync } from "node:fs";
import type { PortError } from "../../hal/node/port-error";
import { Failure } from "../failure";

export function portFailure({ path, trouble, message }: PortError): Failure {
  switch (trouble) {
    case "missing":
      return new Failure(`${path}: no such port: "moth ports" lists those that there are`);
    case "busy":
      return new Failure(`${path}: busy: another program has it open`);
    case "forbidden":
      return new Failure(`${path}: no permission: ${permissionAdvice(path)}`);
    case "gone":
      return new Failure(`${path}: the port is gone: was the adapter unplugged?`);
    case "unfit":
      return new Failure(`${path}: cannot be used as the serial port of a module: ${message}`);
  }
}

/** On Linux a port belongs to a group that its users must be in. */
function permissionAdvice(path: string): string {
  const group = groupOf(path);
  if (group === undefined) return "this user may not open it";
  return `it is for the group ${group}: run "sudo usermod -aG ${group} $USER", then log in again`;
}

function groupOf(path: string): string | undefined {
  try {
    const gid = statSync(path).gid;
    const lines = readFileSync("/etc/group", "utf8").split("\n");
    return lines.map((line) => line.split(":")).find(([, , id]) => id === String(gid))?.[0];
  } catch {
    return undefined;
  }
}
