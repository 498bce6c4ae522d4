/** A board that sleeps between its readings: a day of it, and what may be wrong when it wakes. */
import { describe, expect, it } from "vitest";
import { board, tmp36 } from "../../../firmware/board/board";
import { boardOn } from "../../../firmware/board/board-on";
import { deepSleep } from "../../../firmware/board/deep-sleep";
import { createIsm43362 } from "../../../firmware/wifi/ism43362/ism43362";
import { faultsOf } from "../../../sim/faults";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Random } from "../../../sim/random";
import { INTERVAL, SleepingBoard } from "./sleeping-board";
import { Terminal } from "./terminal";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const HOUR = 3600;
/** A whole day of the newest generation, a part of one of the others: MOTH_SLEEP_HOURS for more. */
function hoursOf(personality: PersonalityName): number {
  return Number(process.env["MOTH_SLEEP_HOURS"] ?? (personality === "esp-at-5" ? 24 : 4));
}
/** Milliseconds: the bound of a waking, and what leaving may take on top of it; without a reset line the module's consent too. */
const BOUND = 60_000 + 3_500;
const CONSENT = 51_000;

function count(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function seqs(rig: SleepingBoard): number[] {
  return rig.told.map(({ seq }) => seq);
}

function once(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function packets(rig: SleepingBoard, kind: string): number {
  return rig.broker.received.filter(({ packet }) => packet.cmd === kind).length;
}

/** When each connect came, in intervals since power-on, rounded. */
function tries(rig: SleepingBoard): number[] {
  return rig.wakings.map(({ from }) => Math.round(from / (INTERVAL * 1000)));
}

function status(rig: SleepingBoard): Map<string, string> {
  return new Terminal(rig).look().askMap("status");
}

function started(options: ConstructorParameters<typeof SleepingBoard>[0] = {}): SleepingBoard {
  const rig = new SleepingBoard(options);
  rig.bench.machine.powerOn();
  rig.seconds(30);
  expect(rig.board.problem).toBe("");
  expect(rig.asleep).toBe(true);
  return rig;
}

describe.each(GENERATIONS)("a battery board at %s", (personality) => {
  describe.each([true, false])("(reset line: %s)", (resetLine) => {
    const machine = { resetLine };

    it("tells each reading of a day once, is asleep in between, and is never given up for dead", () => {
      const rig = new SleepingBoard({ personality, machine });
      rig.bench.machine.powerOn();
      const hours = hoursOf(personality);
      const wakings = hours * 6;
      rig.watch(hours * HOUR);
      expect(seqs(rig)).toEqual(count(1, wakings));
      // Each session ends in good order, so that no will is published; and `availability` never said anything else.
      expect([packets(rig, "connect"), packets(rig, "disconnect")]).toEqual([wakings, wakings]);
      expect(rig.availability).toEqual(["online"]);
      expect(rig.broker.faults).toEqual([]);
      const on = rig.wakings.map(({ from, to }) => to - from);
      const share = on.reduce((sum, ms) => sum + ms, 0) / (hours * HOUR * 1000);
      expect(share).toBeLessThan(0.01);
      // Held in reset it wakes when it is wanted; by its own clock it may be early, and is put to sleep once more.
      const real = on.filter((ms) => ms > 1_500);
      expect(real.length).toBe(wakings);
      if (resetLine) expect(on.length).toBe(wakings);
      const said = rig.told.slice(1).map(({ awake }) => awake ?? 0);
      said.forEach((awake, i) => expect(Math.abs(awake - (real[i] ?? 0)), `waking ${i + 1}`).toBeLessThan(resetLine ? 150 : 6_000));
    });

    it("obeys at its next waking what it was told while it slept, a new interval too", () => {
      const rig = started({ personality, machine });
      rig.broker.publish("moth/t1/valve/set", "ON", { qos: 1 });
      rig.broker.publish("moth/t1/interval/set", "300", { qos: 1 });
      rig.seconds(INTERVAL - 60);
      expect(rig.said("valve")).toEqual(["OFF"]);
      rig.seconds(120);
      expect(rig.asleep).toBe(true);
      expect(rig.said("valve").at(-1)).toBe("ON");
      expect(rig.said("interval").at(-1)).toBe("300");
      expect(rig.broker.pendingFor("t1")).toBe(0);
      rig.seconds(1_500);
      const times = rig.told.map(({ at }) => Math.round(at / 100_000));
      expect(times).toEqual([0, 6, 9, 12, 15, 18, 21]);
    });

    it("keeps its readings while the broker is gone for three wakings, tries less and less often, and then delivers all", () => {
      const rig = started({ personality, machine });
      rig.broker.stop();
      rig.seconds(4 * HOUR);
      // One reading goes by after the first try, then three, then six: an hour of them.
      expect(once(tries(rig))).toEqual([0, 1, 3, 7, 14, 21]);
      for (const { from, to } of rig.wakings) expect(to - from).toBeLessThan(BOUND + (resetLine ? 0 : CONSENT));
      rig.broker.start();
      rig.seconds(HOUR + INTERVAL);
      expect(once(seqs(rig))).toEqual(count(1, rig.told.at(-1)?.seq ?? 0));
      expect(seqs(rig).length).toBeGreaterThan(28);
      const said = status(rig);
      expect(said.get("power")).toBe("asleep");
      expect(said.get("power.undelivered")).toBe("5");
      expect(said.get("power.refused")).toBe("0");
      // From now on each reading is told when it is due.
      rig.seconds(60);
      const before = rig.told.length;
      rig.seconds(6 * INTERVAL);
      expect(rig.told.length).toBe(before + 6);
      expect(rig.broker.faults).toEqual([]);
    });

    it("goes back to sleep when there is no network, and delivers when there is one again", () => {
      const rig = started({ personality, machine });
      rig.bench.air.drop(68 * 60_000);
      rig.seconds(68 * 60);
      expect(rig.asleep).toBe(true);
      for (const { from, to } of rig.wakings) expect(to - from).toBeLessThan(BOUND + (resetLine ? 0 : CONSENT));
      rig.seconds(2 * HOUR);
      expect(once(seqs(rig))).toEqual(count(1, rig.told.at(-1)?.seq ?? 0));
      expect(rig.told.at(-1)?.seq).toBeGreaterThanOrEqual(18);
    });

    it.each(["connack", "puback"] as const)("gives up in time when the broker never says %s", (mute) => {
      const rig = started({ personality, machine });
      rig.broker.mute(mute);
      rig.seconds(INTERVAL + 20);
      expect(rig.asleep).toBe(false);
      rig.seconds(60);
      expect(rig.asleep).toBe(true);
      const last = rig.wakings.at(-1);
      expect((last?.to ?? 0) - (last?.from ?? 0)).toBeLessThan(BOUND + (resetLine ? 0 : CONSENT));
      rig.broker.mute(mute, false);
      rig.seconds(3 * INTERVAL);
      expect(once(seqs(rig))).toEqual([1, 2, 3, 4, 5]);
    });
  });
});

describe("faults while a board wakes", () => {
  const seed = Number(process.env["MOTH_SEED"] ?? Date.now() % 100_000);

  it.each(GENERATIONS)("cost %s no reading, and no waking lasts longer than it may", (personality) => {
    const rig = started({ personality, seed });
    const chance = new Random(seed).fork(personality);
    const names = faultsOf(personality);
    const struck: string[] = [];
    for (let reading = 2; reading <= 61; reading++) {
      const name = names[chance.int(names.length)] ?? "cmd.no_reply";
      struck.push(name);
      rig.clock.after(INTERVAL * 1000 - 30_000 + chance.int(4_000), () => rig.bench.module.faults.strike(name));
      rig.seconds(INTERVAL);
    }
    rig.bench.module.faults.clear();
    rig.seconds(2 * HOUR + 2 * INTERVAL);
    expect(rig.asleep, struck.join(" ")).toBe(true);
    const last = rig.told.at(-1)?.seq ?? 0;
    expect(last).toBeGreaterThanOrEqual(72);
    expect(once(seqs(rig)), struck.join(" ")).toEqual(count(1, last));
    const longest = Math.max(...rig.wakings.map(({ from, to }) => to - from));
    expect(longest).toBeLessThan(BOUND);
  });
});

describe("a battery board", () => {
  it("says in its status how its sleep goes", () => {
    const rig = started();
    rig.seconds(30);
    const said = status(rig);
    expect(said.get("power")).toBe("asleep");
    expect(said.get("power.wakings")).toBe("1");
    expect(said.get("power.undelivered")).toBe("0");
    const [first] = rig.wakings;
    expect(Math.abs(Number(said.get("power.awake")) - ((first?.to ?? 0) - (first?.from ?? 0)))).toBeLessThan(150);
    rig.seconds(INTERVAL - 58);
    expect(status(rig).get("power")).toBe("awake");
    expect(status(rig).get("power.wakings")).toBe("2");
  });

  it("says goodbye when it is stopped while it is awake; asleep it stops at once, and nobody takes it for gone", () => {
    const awake = new SleepingBoard();
    awake.bench.machine.powerOn();
    while (awake.broker.clients.length === 0) awake.clock.runFor(100);
    awake.bench.machine.stop();
    awake.seconds(5);
    expect(awake.board.stopped()).toBe(true);
    expect(awake.broker.retainedText("moth/t1/availability")).toBe("offline");
    awake.seconds(2 * INTERVAL);
    expect(awake.wakings.length).toBeLessThanOrEqual(1);
    const asleep = started();
    asleep.bench.machine.stop();
    asleep.clock.runFor(1);
    expect(asleep.board.stopped()).toBe(true);
    expect(asleep.broker.retainedText("moth/t1/availability")).toBe("online");
    asleep.seconds(2 * INTERVAL);
    expect(asleep.wakings.length).toBe(1);
  });

  it("that loses its power while it is awake is announced offline, and online when it is back", () => {
    const rig = started();
    while (rig.broker.clients.length === 0) rig.clock.runFor(100);
    rig.bench.machine.cutPower();
    rig.seconds(60);
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("offline");
    rig.bench.machine.powerOn();
    rig.seconds(30);
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
  });

  it("leaves as soon as the broker has been quiet for long enough, also when that had something to say", () => {
    const rig = started({ application: plain({ listen: 500 }) });
    rig.seconds(5 * INTERVAL);
    const at = (kind: string): number[] => rig.broker.received.filter(({ packet }) => packet.cmd === kind).map(({ time }) => time);
    const last = at("disconnect").map((left) => left - Math.max(...at("puback").filter((time) => time < left), ...at("publish").filter((time) => time < left)));
    expect(last.length).toBe(6);
    for (const quiet of last) expect(quiet).toBeLessThan(600);
  });

  it("needs no session that is kept: what was not acknowledged waits in its own memory", () => {
    const rig = started({ application: plain({}) });
    rig.broker.stop();
    rig.seconds(INTERVAL);
    rig.broker.start();
    rig.seconds(3 * INTERVAL);
    expect(once(seqs(rig))).toEqual(count(1, rig.told.at(-1)?.seq ?? 0));
    expect(rig.told.length).toBeGreaterThanOrEqual(4);
    expect(rig.broker.clients).toEqual([]);
  });

  it("listens for as long as it is told to, and gives up when it is told to", () => {
    const lasts = (options: Parameters<typeof deepSleep>[0]): number => {
      const rig = started({ application: plain(options) });
      const [first] = rig.wakings;
      return (first?.to ?? 0) - (first?.from ?? 0);
    };
    const short = lasts({ listen: 0 });
    expect(lasts({ listen: 2_500 }) - short).toBeGreaterThan(2_400);
    expect(lasts({ listen: 2_500 }) - short).toBeLessThan(2_700);
    const rig = started({ application: plain({ awakeAtMost: 10 }) });
    rig.broker.stop();
    rig.seconds(INTERVAL);
    const last = rig.wakings.at(-1);
    expect((last?.to ?? 0) - (last?.from ?? 0)).toBeGreaterThan(9_800);
    expect((last?.to ?? 0) - (last?.from ?? 0)).toBeLessThan(14_000);
  });

  it("goes at a module of another family where that has its reset line, and nowhere else", () => {
    const ism = boardOn(createIsm43362, declaration({}));
    const rig = started({ application: ism, personality: "ism43362" });
    rig.seconds(6 * INTERVAL);
    expect(seqs(rig)).toEqual(count(1, 7));
    expect(rig.wakings.length).toBe(7);
    // A waking is no sign of a module that hangs.
    expect(rig.board.wifi.status.holdOffs).toBe(0);
    expect([packets(rig, "connect"), packets(rig, "disconnect")]).toEqual([7, 7]);
    const without = new SleepingBoard({ application: ism, personality: "ism43362", machine: { resetLine: false } });
    without.bench.machine.powerOn();
    without.seconds(1);
    expect(without.board.problem).toContain("reset line");
  });

  it("is the only one whose telemetry knows of being awake", () => {
    const { power: _power, ...spec } = declaration({});
    const rig = new SleepingBoard({ application: board(spec) });
    rig.bench.machine.powerOn();
    rig.seconds(1);
    expect(rig.board.problem).toBe("telemetry names a field that does not exist");
  });
});

function declaration(options: Parameters<typeof deepSleep>[0]) {
  return {
    name: "plain",
    power: deepSleep(options),
    readings: { temperature: { sensor: tmp36(0), decimals: 1 } },
    relays: {},
    numbers: { interval: { unit: "s", min: 10, max: 86400, initial: INTERVAL } },
    telemetry: { every: "interval", fields: ["seq", "temperature", "awake"] },
    rules: {},
  } as const;
}

function plain(options: Parameters<typeof deepSleep>[0]): ReturnType<typeof board> {
  return board(declaration(options));
}
