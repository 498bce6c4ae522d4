import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { compile } from "../../../tools/build/compile";
import { createLuaVm } from "../../lua/vm";

const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=hidden\nmqtt.host=broker\n";
/** Every command, every kind of error, and the keys that edit a line. */
const TYPED =
  "status\rsettings\rlog\rhelp\rlog on\rset device=t2\rset wifi.password=abc\rset wifi.ssid=\rset x=1\rset\r" +
  "set ca.0=LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\rset ca.3=AAAA\rset ca=\rwrong\rlog off\rab\b\u001b[A\u0015\u0003é\b\r" +
  `bootloader\r${"x".repeat(400)}\r`;

test("the console allocates nothing in Lua, whatever is typed", async () => {
  const compiled = compile("firmware/apps/sensor-board.ts", "build");
  if ("problems" in compiled) throw new Error("the sensor board does not compile");
  const vm = await createLuaVm();
  onTestFinished(() => vm.close());
  const typed = new TextEncoder().encode(TYPED);
  const shown: number[] = [];
  let next = 0;
  let now = 0;
  let pause = false;
  vm.expose("peer", {
    now: () => (now += 5),
    receive: () => -1,
    send: () => 1,
    reset: () => undefined,
    pin: () => undefined,
    microvolts: () => 700_000,
    random: () => 5,
    idle: () => undefined,
    typed: () => {
      // A byte, then a pause, as a hand does it.
      pause = !pause;
      return pause ? -1 : (typed[next++ % typed.length] ?? -1);
    },
    shown: (byte = 0) => {
      if (shown.length < 20_000) shown.push(byte);
      return undefined;
    },
  });
  vm.run(`settings = ${JSON.stringify(SETTINGS)}`);
  vm.run(readFileSync(new URL("../../lua/hal.lua", import.meta.url), "utf8"));
  vm.load("app", compiled.bundle.lua);
  vm.run("board = app.default:boot(hal) function turn() board:poll() end");
  expect(vm.bytesAllocatedBy("turn", 4000, 4000)).toBe(0);
  const screen = Buffer.from(shown).toString();
  expect(screen).toContain("mqtt.host=broker\r\n");
  expect(screen).toContain("error: no such command");
  expect(screen).toContain("error: the line is longer than 384 bytes");
  expect(screen).not.toContain("hidden");
}, 120_000);
