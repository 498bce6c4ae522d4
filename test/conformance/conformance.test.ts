/** The check of `npm run conformance`, in CI. */
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { lists, report } from "./report";
import { scanTests } from "./scan";

it("every statement that binds a client, and every point, has a test or a reason, and no test carries any other", () => {
  const { problems, counts } = report(lists, scanTests(resolve(import.meta.dirname, "../.."), ["test"]));
  expect(problems).toEqual([]);
  expect(counts.get("MQTT 3.1.1")).toMatchObject({ binding: 72, open: 0 });
  expect(counts.get("MQTT 5.0")).toMatchObject({ binding: 133, open: 0 });
  expect(counts.get("the points")).toMatchObject({ binding: 58, open: 0 });
});
