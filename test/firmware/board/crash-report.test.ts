import { describe, expect, test } from "vitest";
import { Rig } from "./rig";
import { boardAndTerminal, Terminal } from "./terminal";

const CRASH = 'crash error "attempt to index a nil value" build 1a2b3c4d lines 17 4';

describe("a board that has crashed", () => {
  test("says so at its console, publishes the report once, and forgets it when the broker has it", () => {
    const { rig, terminal } = boardAndTerminal();
    rig.bench.machine.crash(CRASH);
    rig.seconds(6);
    expect(terminal.look().screen).toContain(`started by crash\r\n${CRASH}\r\nmoth> `);
    expect(rig.said("crash")).toEqual([CRASH]);
    expect(rig.broker.retainedText("moth/t1/crash")).toBeUndefined();
    expect(terminal.ask("log")).toContainEqual(expect.stringContaining("the broker has the crash report"));
    expect(terminal.askMap("status").get("crash")).toBe("");
    expect(terminal.askMap("status").get("start")).toBe("crash");
    terminal.type("reset\r", 6000);
    expect(terminal.screen.split(CRASH)).toHaveLength(2);
    expect(rig.said("crash")).toEqual([CRASH]);
  });

  test("keeps the report over a reset until the broker has acknowledged it", () => {
    const rig = new Rig().start();
    const terminal = new Terminal(rig).look();
    rig.broker.mute("puback");
    rig.bench.machine.crash(CRASH);
    rig.seconds(6);
    expect(terminal.askMap("status").get("crash")).toBe(CRASH);
    rig.bench.machine.board?.stop();
    terminal.type("reset\r", 1000);
    expect(terminal.screen.split(`\r\n${CRASH}\r\n`)).toHaveLength(3);
    rig.broker.mute("puback", false);
    rig.seconds(10);
    expect(rig.said("crash").at(-1)).toBe(CRASH);
    expect(terminal.askMap("status").get("crash")).toBe("");
  });

  test("publishes a report of the greatest length whole", () => {
    const rig = new Rig().start();
    const terminal = new Terminal(rig).look();
    const longest = `crash error "${"x".repeat(243)}`;
    expect(longest).toHaveLength(256);
    rig.bench.machine.crash(longest);
    rig.seconds(6);
    expect(rig.said("crash")).toEqual([longest]);
    expect(terminal.look().screen).toContain(`\r\n${longest}\r\n`);
  });

  test("publishes nothing when it has not crashed", () => {
    const rig = new Rig().start();
    rig.seconds(10);
    expect(rig.said("crash")).toEqual([]);
  });
});

test("a watchdog's reset is told as one", () => {
  const { rig, terminal } = boardAndTerminal();
  const { board } = rig;
  board.poll = () => undefined;
  rig.seconds(15);
  expect(terminal.look().screen).toContain("started by watchdog");
});
