/** What is said when a serial port cannot be had, with what to do about it. */
import { readFileSync, statSync } from "node:fs";
import type { PortError } from "../../hal/node/port-error";
import { Failure } from "../failure";

/** `use`: what the port was to be. */
export function portFailure({ path, trouble, message }: PortError, use = "the serial port of a module"): Failure {
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
      return new Failure(`${path}: cannot be used as ${use}: ${message}`);
  }
}

/** On Linux a port belongs to a group that its users must be in; in that of root nobody else should be. */
function permissionAdvice(path: string): string {
  const gid = groupIdOf(path);
  const group = gid === undefined || gid === 0 ? undefined : groupNamed(gid, readGroups());
  if (group === undefined) return "this user may not open it";
  return `it is for the group ${group}: run "sudo usermod -aG ${group} $USER", then log in again`;
}

/** The name of a group in the text of `/etc/group`. */
export function groupNamed(gid: number, groups: string): string | undefined {
  return groups.split("\n").map((line) => line.split(":")).find(([, , id]) => id === String(gid))?.[0];
}

function groupIdOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.gid;
}

function readGroups(): string {
  try {
    return readFileSync("/etc/group", "utf8");
  } catch {
    return "";
  }
}
