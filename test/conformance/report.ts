/** Holds the lists of statements against the names of the tests, and says where they do not meet. */
import { isOfFirmware } from "../lua/harness/suites";
import { type Point, points } from "./points";
import { type NamedTest } from "./scan";
import { type Statement, tagOf, type Version } from "./statement";
import { statements311 } from "./statements-3.1.1";
import { statements50 } from "./statements-5.0";

export interface Lists {
  readonly versions: readonly { readonly version: Version; readonly statements: readonly Statement[] }[];
  readonly points: readonly Point[];
}

export const lists: Lists = {
  versions: [
    { version: "3.1.1", statements: statements311 },
    { version: "5.0", statements: statements50 },
  ],
  points,
};

/** How many rows there are of each kind. What binds servers is `left out`, tested or not. */
export interface Counts {
  readonly binding: number;
  readonly tested: number;
  readonly reasons: number;
  readonly open: number;
  readonly server: number;
  readonly serverTested: number;
}

export interface Report {
  readonly rows: readonly string[];
  readonly counts: ReadonlyMap<string, Counts>;
  /** What is wrong, a sentence each; nothing when all is proven. */
  readonly problems: readonly string[];
}

/** Anything in brackets that begins like a tag of ours. A section, `[MQTT 3.1.1 §2.2]`, is none. */
const TAGS = /\[((?:MQTT5?-|P\d)[^\]]*)\]/g;

function testsByTag(tests: readonly NamedTest[]): Map<string, NamedTest[]> {
  const byTag = new Map<string, NamedTest[]>();
  for (const test of tests) {
    for (const [, tag = ""] of test.name.matchAll(TAGS)) byTag.set(tag, [...(byTag.get(tag) ?? []), test]);
  }
  return byTag;
}

function place({ file, line }: NamedTest): string {
  return `${file.replace(/^test\//, "")}:${line}`;
}

/** `client.test.ts:12 and 3 more`, or what there is instead. */
function proof(tests: readonly NamedTest[], otherwise: string): string {
  const [first] = tests;
  if (first === undefined) return otherwise;
  return place(first) + (tests.length > 1 ? ` and ${tests.length - 1} more` : "");
}

function row(...cells: readonly [id: string, binds: string, says: string, proof: string]): string {
  const widths = [14, 7, 74];
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" ").trimEnd();
}

export function report({ versions, points: pointList }: Lists, tests: readonly NamedTest[]): Report {
  const byTag = testsByTag(tests);
  const known = new Set<string>();
  const problems: string[] = [];
  const rows: string[] = [];
  const counts = new Map<string, Counts>();
  const proven = (tag: string): NamedTest[] => (byTag.get(tag) ?? []).filter(({ file }) => isOfFirmware(file));

  for (const { version, statements } of versions) {
    const reasons = new Map<string, string>();
    const count = { binding: 0, tested: 0, reasons: 0, open: 0, server: 0, serverTested: 0 };
    for (const { id, binds, says, reason } of statements) {
      const tag = tagOf(version, id);
      known.add(tag);
      const found = proven(tag);
      if (reason !== undefined) reasons.set(tag, reason);
      rows.push(row(tag, binds, says, proof(found, reason ?? (binds === "server" ? "-" : "OPEN"))));
      if (binds === "server") {
        count.server++;
        if (found.length > 0) count.serverTested++;
        continue;
      }
      count.binding++;
      if (found.length > 0) count.tested++;
      else if (reason !== undefined) count.reasons++;
      else {
        count.open++;
        problems.push(`no test and no reason: ${tag}, ${says}`);
      }
      if (found.length > 0 && reason !== undefined) {
        problems.push(`has a test, and a reason to have none: ${tag}`);
      }
    }
    counts.set(`MQTT ${version}`, count);
  }

  const excused = new Set(
    versions.flatMap(({ version, statements }) =>
      statements.filter(({ reason }) => reason !== undefined).map(({ id }) => tagOf(version, id)),
    ),
  );
  const count = { binding: 0, tested: 0, reasons: 0, open: 0, server: 0, serverTested: 0 };
  for (const { number, says, of311, of50, own } of pointList) {
    const tag = `P${number}`;
    known.add(tag);
    const asked = [
      ...of311.map((id) => tagOf("3.1.1", id)),
      ...of50.map((id) => tagOf("5.0", id)),
      ...(own ? [tag] : []),
    ];
    const missing = asked.filter((each) => proven(each).length === 0 && !excused.has(each));
    count.binding++;
    if (missing.length === 0) count.tested++;
    else {
      count.open++;
      problems.push(`not proven: point ${number}, ${says}: no test of ${missing.join(", ")}`);
    }
    rows.push(row(tag, "client", says, missing.length === 0 ? asked.join(" ") : `OPEN: ${missing.join(" ")}`));
  }
  counts.set("the points", count);

  for (const [tag, found] of byTag) {
    if (known.has(tag)) continue;
    for (const test of found) problems.push(`no such statement: [${tag}], in ${place(test)}`);
  }
  return { rows, counts, problems };
}

/** The last lines of the table. */
export function countLines({ counts }: Report, tests: readonly NamedTest[]): string[] {
  const lines = [...counts].map(
    ([what, { binding, tested, reasons, open, server, serverTested }]) =>
      `${what}: ${binding} rows bind a client: ${tested} tested, ${reasons} with a reason, ${open} open` +
      (server > 0 ? `; ${server} bind servers alone, of which a test meets ${serverTested}` : ""),
  );
  const tagged = tests.filter(({ name, file }) => [...name.matchAll(TAGS)].length > 0 && isOfFirmware(file));
  return [...lines, `${tagged.length} tests carry these rows; each runs in Node and as compiled Lua in the boards' runtime`];
}
