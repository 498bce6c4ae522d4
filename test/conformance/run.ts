/** `npm run conformance`: prints every statement and what proves it, and fails when one has neither test nor reason. */
import { resolve } from "node:path";
import { countLines, lists, report } from "./report";
import { scanTests } from "./scan";

const tests = scanTests(resolve(import.meta.dirname, "../.."), ["test"]);
const found = report(lists, tests);
for (const row of found.rows) console.log(row);
console.log();
for (const line of countLines(found, tests)) console.log(line);
for (const problem of found.problems) console.error(problem);
if (found.problems.length > 0) process.exitCode = 1;
