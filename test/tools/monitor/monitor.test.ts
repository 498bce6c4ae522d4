import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { build } from "../../../tools/build/build";
import { Program, ROOT } from "../../e2e/processes";
import { PtyPair } from "../../hal/node/pty-pair";
import { attachBoard } from "../provision/board-on-port";
import { TerminalProgram } from "../provision/terminal-program";

const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\n";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-monitor-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A path that leads to whatever port is there now, as `/dev/serial/by-id` does. */
function stablePath(target: string): { path: string; lead: (to: string) => void } {
  const path = join(folder(), "board");
  symlinkSync(target, path);
  return {
    path,
    lead: (to) => {
      unlinkSync(path);
      symlinkSync(to, path);
    },
  };
}

function monitor(args: readonly string[]): Program {
  return new Program(process.execPath, ["tools/moth.mjs", "monitor", ...args]);
}

function has(text: string | RegExp): (line: string) => true | undefined {
  return (line) => (line.match(text) !== null ? true : undefined);
}

describe("moth monitor", () => {
  test("shows what the board says, with the time, and ends in good order", async () => {
    const pair = await PtyPair.create();
    const program = monitor(["--port", pair.near, "--timestamps"]);
    await program.until("the port", has(/^\d\d:\d\d:\d\d\.\d{3} {2}--- .* at 115200 baud/));
    await attachBoard(pair.far, SETTINGS);
    await program.until("the banner", has(/^\d\d:\d\d:\d\d\.\d{3} {2}moth .*: sensor-board as t1, started by power-on$/));
    program.kill("SIGINT");
    expect(await program.ended).toBe(0);
  });

  test("explains a crash with its lines of TypeScript", async () => {
    const path = folder();
    build("test/tools/fixtures/blinker.ts", path);
    const pair = await PtyPair.create();
    const program = monitor(["--port", pair.near, "--map", join(path, "blinker.lua.map")]);
    await program.until("the port", has("at 115200 baud"));
    const board = await attachBoard(pair.far, SETTINGS);
    await program.until("the banner", has("started by power-on"));
    board.play(() => board.bench.machine.crash("crash watchdog build 1a2b3c4d lines 20"));
    await program.until("the crash", has("crash watchdog build 1a2b3c4d lines 20"));
    await program.until("its lines", has(/^ {2}at (test\/tools\/fixtures|line 20)/));
  });

  test("shows a crash of an unknown build as it is, and says so", async () => {
    const pair = await PtyPair.create();
    const program = monitor(["--port", pair.near]);
    await program.until("the port", has("at 115200 baud"));
    const board = await attachBoard(pair.far, SETTINGS);
    await program.until("the banner", has("started by power-on"));
    board.play(() => board.bench.machine.crash("crash stack build ffffffff lines 20"));
    await program.until("the crash", has(/^crash stack build ffffffff lines 20$/));
    await program.until("the reason", has("build ffffffff is not in build: name its source map with --map"));
  });

  test("waits for a port that goes away, says so, and goes on when it is back", async () => {
    const first = await PtyPair.create();
    const { path, lead } = stablePath(first.near);
    const program = monitor(["--port", path]);
    await program.until("the port", has("at 115200 baud"));
    await first.cut();
    await program.until("the loss", has(/^--- .*: the port is gone: .*; waiting for it to come back$/));
    const second = await PtyPair.create();
    lead(second.near);
    await program.until("the return", has(/^--- .* is back$/));
    await attachBoard(second.far, SETTINGS);
    await program.until("the banner", has("started by power-on"));
    await second.cut();
    await program.until("the second loss", has(/waiting for it/), 20_000, program.lines.length - 1);
    program.kill("SIGTERM");
    expect(await program.ended).toBe(0);
  });

  test("passes every key on at a terminal, Ctrl-C too, and ends at Ctrl-]", async () => {
    const pair = await PtyPair.create();
    const program = new TerminalProgram([process.execPath, "tools/moth.mjs", "monitor", "--port", pair.near]);
    await program.until("Ctrl-] ends");
    await attachBoard(pair.far, SETTINGS);
    await program.until("moth> ");
    program.type("status");
    await program.until("status");
    program.type("\r");
    await program.until("device=t1");
    await program.until("moth> ");
    program.type("rubbish\u0003");
    await program.until("rubbish^C");
    program.type("\u001d");
    await program.ended;
  });

  test("passes on what comes through a pipe", async () => {
    const pair = await PtyPair.create();
    await attachBoard(pair.far, SETTINGS);
    const program = spawn(process.execPath, ["tools/moth.mjs", "monitor", "--port", pair.near], { cwd: ROOT });
    onTestFinished(() => void program.kill("SIGKILL"));
    let shown = "";
    program.stdout.on("data", (bytes: Buffer) => (shown += bytes.toString()));
    await expect.poll(() => shown, { timeout: 20_000 }).toContain("at 115200 baud");
    program.stdin.end("settings\r");
    await expect.poll(() => shown, { timeout: 20_000 }).toContain("wifi.ssid=bench");
  });

  test("says what is wrong with the port or the map, in one line", async () => {
    const missing = monitor(["--port", "/dev/none"]);
    expect(await missing.ended).toBe(1);
    expect(missing.lines).toEqual(['moth: /dev/none: no such port: "moth ports" lists those that there are']);
    const file = join(folder(), "map");
    writeFileSync(file, "nonsense");
    const map = monitor(["--port", "/dev/none", "--map", file]);
    expect(await map.ended).toBe(1);
    expect(map.lines).toEqual([`moth: ${file}: no source map: give the .lua.map that moth build has written`]);
  });
});
