/** The names that an application gives to its parts: each is a key of its declaration and a level of a topic. */
import { isId } from "./text-checks";

/** What the board itself says on topics and in telemetry. */
const RESERVED = ["availability", "telemetry", "error", "crash", "seq", "uptime"];

/**
 * The keys of a declaration in alphabetical order. Lua keeps no order of its own, and a board should subscribe and
 * publish in the same order wherever it runs. @boot
 */
export function createSortedNames(declaration: object): string[] {
  const names: string[] = [];
  for (const name in declaration) {
    names.push(name);
    for (let i = names.length - 1; i > 0; i--) {
      const before = names[i - 1];
      if (before === undefined || before < name) break;
      names[i] = before;
      names[i - 1] = name;
    }
  }
  return names;
}

/** What is wrong with a name that shall be taken besides those of `taken`, as a sentence; empty if nothing. @boot */
export function nameProblem(name: string, taken: readonly string[]): string {
  if (!isId(name)) return "give 1 to 32 letters, digits, _ or - as a name, not: " + name;
  for (let i = 0; i < RESERVED.length; i++) {
    if (RESERVED[i] === name) return "the board itself uses the name " + name;
  }
  for (let i = 0; i < taken.length; i++) {
    if (taken[i] === name) return "two parts have the name " + name;
  }
  return "";
}
