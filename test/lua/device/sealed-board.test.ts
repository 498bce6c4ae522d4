/**
 * The board that ships, frozen and sealed as on a chip, in virtual time. After boot the first allocation ends the run
 * with a crash record: a run that goes on has made none.
 */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { beforeAll, describe, expect, test } from "vitest";
import { type Bytecode, compileBytecode } from "../../../tools/build/bytecode";
import { compile } from "../../../tools/build/compile";
import { boardAddon } from "../harness/addon";
import { DeviceBench, WIFI_PASSWORD } from "../harness/bench";
import { cache, root } from "../harness/bundle";

const MESSAGES = 100_000;
const DISTURBANCES = 60;

interface Compiled {
  readonly lua: string;
  readonly map: string;
}

function compiledApp(app: string): Compiled {
  const compiled = compile(app, "build");
  if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
  return compiled.bundle;
}

/** Every command, every kind of error, and the keys that edit a line. */
const TYPED =
  "status\rsettings\rlog\rhelp\rlog on\rset device=t2\rset wifi.password=abc\rset wifi.ssid=\rset x=1\rset\r" +
  "set ca.0=LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\rset ca.3=AAAA\rset ca=\rwrong\rlog off\rab\b\u001b[A\u0015\u0003é\b\r" +
  `bootloader\r${"x".repeat(400)}\r`;

/** A bench on which the relay is ordered over, `perSecond` times a second, and the board publishes every second. */
function busyBench(perSecond: number): DeviceBench {
  const bench = new DeviceBench();
  const order = (count: number): void => {
    bench.broker.publish("moth/t1/relay/set", count % 2 === 0 ? "ON" : "OFF", { qos: count % 3 === 0 ? 1 : 0 });
    bench.clock.after(1000 / perSecond, () => order(count + 1));
  };
  bench.clock.after(8000, () => {
    bench.broker.publish("moth/t1/interval/set", "1", { qos: 1 });
    order(0);
  });
  return bench;
}

/** Everything that can happen to a board, one after the other. */
function disturb(bench: DeviceBench, count: number): void {
  const { broker, air, module } = bench;
  switch (count % 6) {
    case 0:
      return broker.kick("t1");
    case 1:
      return air.drop(3000);
    case 2:
      return module.crash();
    case 3:
      return broker.publish("moth/t1/relay/set", "perhaps", { qos: 1 });
    case 4:
      return broker.publish("moth/t1/relay/set", "x".repeat(3000), { qos: 1 });
    default:
      return broker.publish("moth/t1/availability", "offline", { qos: 1, retain: true });
  }
}

describe("the sealed board", () => {
  let compiled: Compiled;
  let bytecode: Bytecode;
  let linked: string;

  beforeAll(() => {
    compiled = compiledApp("firmware/apps/sensor-board.ts");
    bytecode = compileBytecode(compiled.lua, cache);
    linked = boardAddon(bytecode, "sealed-board");
  }, 300_000);

  /** An addon is a board that can be switched on once. */
  function newBoard(name: string): string {
    const path = join(cache, `sealed-board-${name}.node`);
    copyFileSync(linked, path);
    return path;
  }

  test("allocates nothing in 100,000 messages, while links, Wi-Fi and module are lost and commands are bad", () => {
    const bench = busyBench(10);
    let disturbances = 0;
    const strike = (): void => {
      disturb(bench, disturbances++);
      if (disturbances < DISTURBANCES) bench.clock.after(60_000, strike);
    };
    bench.clock.after(30_000, strike);
    const { arena, restarted, crash } = bench.run(newBoard("busy"), () => bench.messages >= MESSAGES);
    expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
    expect(disturbances).toBe(DISTURBANCES);
    expect(bench.published.get("moth/t1/telemetry")).toBeGreaterThan(4000);
    expect(bench.switched).toBeGreaterThan(40_000);
    expect(bench.published.get("moth/t1/error")).toBeGreaterThanOrEqual(DISTURBANCES / 6);
    expect(bench.broker.clients.map(({ clientId }) => clientId)).toEqual(["t1"]);
  }, 600_000);

  test("allocates nothing at its console, whatever is typed", () => {
    const bench = busyBench(2);
    for (let round = 0; round < 5; round++) bench.clock.after(10_000 + round * 20_000, () => bench.type(TYPED, 12));
    const { arena, restarted, crash } = bench.run(newBoard("console"), () => bench.clock.now > 120_000);
    expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
    expect(bench.console.split("mqtt.host=broker\r\n")).toHaveLength(1 + 5);
    expect(bench.console).toContain("error: no such command");
    expect(bench.console).toContain("error: the line is longer than 384 bytes");
    expect(bench.console).not.toContain(WIFI_PASSWORD);
  });

  test("allocates nothing in 10,000 calls of every block operation", () => {
    const { lua } = compiledApp("test/lua/apps/natives.ts");
    const bench = new DeviceBench();
    let turns = 0;
    const path = boardAddon(compileBytecode(lua, cache), "natives-board");
    const { arena, restarted, crash } = bench.run(path, () => turns++ === 10_000);
    expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
  }, 300_000);

  test.each([
    ["a table", "local planted = {relay}"],
    ["a closure", "local planted = function() return relay end"],
    ["a text", 'local planted = relay.pin .. " is set"'],
  ])("ends at the first allocation, %s, with the line of the TypeScript that asked for it", (_what, planted) => {
    const source = readFileSync(join(root, "firmware/board/relay.ts"), "utf8").split("\n");
    const obeyed = "    relay.on = on\n";
    expect(compiled.lua.split(obeyed)).toHaveLength(2);
    const code = compileBytecode(compiled.lua.replace(obeyed, `    relay.on = on ${planted}\n`), cache);
    const bench = busyBench(1);
    const path = boardAddon(code, `planted-board-${code.build}`);
    const { arena, restarted, crash } = bench.run(path, () => bench.clock.now > 60_000);
    expect({ sealed: arena.sealed, restarted }).toEqual({ sealed: true, restarted: true });
    const [, build, places = ""] = /^crash allocation \d+ bytes build ([0-9a-f]{8}) at ([\d ]+)$/.exec(crash) ?? [];
    expect(build).toBe(code.build);
    const [line = 0, ...callers] = places.split(" ").map((place) => code.lines[Number(place)]);
    const found = originalPositionFor(new TraceMap(compiled.map), { line, column: 0, bias: LEAST_UPPER_BOUND });
    expect(found.source).toMatch(/firmware\/board\/relay\.ts$/);
    expect(source[(found.line ?? 0) - 1]).toBe("  relay.on = on;");
    expect(callers.length).toBeGreaterThan(3);
  }, 300_000);

  test.each([
    ["2^31", 0x7fffffff - 20_000],
    ["2^32", -20_000],
  ])("goes on without a pause while its clock wraps at %s ms", (_where, clockAtBoot) => {
    const bench = new DeviceBench();
    const { restarted, crash } = bench.run(newBoard(String(clockAtBoot)), () => bench.clock.now >= 120_000, clockAtBoot);
    expect({ restarted, crash }).toEqual({ restarted: false, crash: "" });
    expect(bench.telemetryAt.length).toBeGreaterThanOrEqual(23);
    for (let i = 1; i < bench.telemetryAt.length; i++) {
      const pause = (bench.telemetryAt[i] ?? 0) - (bench.telemetryAt[i - 1] ?? 0);
      expect(Math.abs(pause - 5000)).toBeLessThan(100);
    }
    expect(bench.broker.clients.map(({ clientId }) => clientId)).toEqual(["t1"]);
  });
});
