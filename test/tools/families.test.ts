import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildForBoard, overBudget } from "../../tools/build/board-build";
import { boardNamed } from "../../tools/build/board-file";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moth-families-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What only the driver of one family has in it: texts that it sends or looks for, and the files it is made of. */
const FAMILIES = {
  "ESP-AT": { texts: ["AT+CIP", "AT+CWJAP", "busy ", "SEND OK"], files: /firmware\/wifi\/esp-at/ },
  "ISM43362": { texts: ["PK=1,", "ISM", "P6=1", "\r\nOK\r\n> "], files: /firmware\/wifi\/ism43362/ },
};

test.each([
  ["ISM43362", "ESP-AT", "test/e2e/apps/ism43362-board.ts"],
  ["ESP-AT", "ISM43362", "firmware/apps/sensor-board.ts"],
] as const)("the image of a board at %s has nothing of %s in it, and keeps its budget", (own, other, app) => {
  const result = buildForBoard(app, "pico", { outDir: folder });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  const { files, size, map } = result.report;
  const image = readFileSync(resolve(files["bin"] ?? "")).toString("latin1");
  expect(FAMILIES[own].texts.filter((text) => !image.includes(text))).toEqual([]);
  expect(FAMILIES[other].texts.filter((text) => image.includes(text))).toEqual([]);
  const sources = readFileSync(map, "utf8");
  expect(sources).toMatch(FAMILIES[own].files);
  expect(sources).not.toMatch(FAMILIES[other].files);
  if (size === undefined) throw new Error("a chip has a size");
  expect(overBudget("flash", size.flash, boardNamed("pico"))).toEqual([]);
}, 240_000);
