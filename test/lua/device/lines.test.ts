import { expect, test } from "vitest";
import * as probe from "../probes/crossing";

test("an error of Lua names its line of TypeScript, and those that called it", () => {
  let error: unknown;
  try {
    probe.readAt(new Uint8Array(2), 2);
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof RangeError)) throw new Error("no RangeError came");
  expect(error.message).toMatch(/^outside of a buffer \(test\/lua\/probes\/crossing\.ts:\d+\)$/);
  expect(error.stack).toMatch(/in Lua at test\/lua\/probes\/crossing\.ts:\d+/);
});
