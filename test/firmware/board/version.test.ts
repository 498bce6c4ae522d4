import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { VERSION } from "../../../firmware/board/version";

test("the firmware has the version of the package", () => {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  expect(manifest).toContain(`"version": "${VERSION}"`);
});
