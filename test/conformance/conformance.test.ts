/** The check of `npm run conformance`, in CI. */
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { lists, report } from "./report";
import { scanTests } from "./scan";

const found = report(lists, scanTests(resolve(import.meta.dirname, "../.."), ["test"]));

describe("conformance", () => {
  it("has a test or a reason for every statement of MQTT 3.1.1 that binds a client", () => {
    expect(found.problems.filter((problem) => /\bMQTT-\d/.test(problem))).toEqual([]);
    expect(found.counts.get("MQTT 3.1.1")).toMatchObject({ binding: 72, open: 0 });
  });

  it("has no test that carries a statement that does not exist", () => {
    expect(found.problems.filter((problem) => problem.startsWith("no such statement"))).toEqual([]);
  });
});
