/** The port's own sources, built for this computer, against a model of the chip's registers: what QEMU cannot show. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { boardNamed } from "../../../tools/build/board-file";
import { requireTool } from "../../system";

const here = fileURLToPath(new URL("model", import.meta.url));
const port = fileURLToPath(new URL("../../../hal/stm32f405", import.meta.url));
const runtime = fileURLToPath(new URL("../../../hal/lua", import.meta.url));
/** All but what is nothing without the processor: the start, and how the chip leaves. */
const SOURCES = ["clock.c", "timer.c", "uart.c", "pins.c", "analog.c", "watchdog.c", "flash.c", "random.c"];

const folder = mkdtempSync(join(tmpdir(), "moth-model-"));
const program = join(folder, "cases");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, ...options: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(command, options, { encoding: "utf8" });
  return { status, text: stdout + stderr };
}

const built = run(
  requireTool("gcc"), "-std=gnu11", "-g", "-DPART_MODEL", "-Wall", "-Wextra", "-Werror",
  "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
  ...Object.entries(boardNamed("stm32f405").config).map(([key, value]) => `-DBOARD_${key}=${value}`),
  "-I", here, "-I", port, "-I", runtime,
  ...SOURCES.map((source) => join(port, source)), join(here, "model.c"), join(here, "cases.c"), "-o", program,
);
if (built.status !== 0) throw new Error(built.text);

const names = run(program).text.split("\n").filter((name) => name !== "");

test("there are cases", () => {
  expect(names.length).toBeGreaterThan(20);
});

test.each(names)("%s", (name) => {
  expect(run(program, name)).toEqual({ status: 0, text: "" });
});
