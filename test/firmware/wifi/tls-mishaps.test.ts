/** Whatever goes wrong on the way to a stream that is safe: it comes about in the end, or is not opened, and is never plain. */
import { describe, expect, it } from "vitest";
import { Trust } from "../../../firmware/wifi/module";
import type { FaultName } from "../../../sim/faults";
import type { PersonalityName } from "../../../sim/module/personalities";
import { BOARD, GOOD_SERVER, OTHER_CA, OUR_CA, TlsBench, type TlsOptions } from "./tls-bench";

const ABLE: readonly PersonalityName[] = ["esp-at-2.2", "esp-at-5"];
const MUTUAL = { ...GOOD_SERVER, clients: "our authority" };
/** Every so many of the steps: the device runtime takes ten times as long. MOTH_TLS_STRIDE=1 has all of them. */
const STRIDE = Number(process.env["MOTH_TLS_STRIDE"] ?? (process.env["MOTH_EXECUTOR"] === "lua" ? 45 : 1));
/** More than one command writes, so that there are several pieces. */
const LONG_CA = Buffer.concat([OUR_CA, Buffer.alloc(700, "#\n")]);

/** With certificate and key of its own, so that every step there is comes. */
function started(personality: PersonalityName, options: TlsOptions = {}): TlsBench {
  return new TlsBench({ personality, server: MUTUAL, identity: BOARD, ca: LONG_CA, ...options }).open();
}

/** The commands between the join and the stream, in the order of a bring-up where nothing goes wrong. */
function stepsOf(personality: PersonalityName): readonly string[] {
  const bench = started(personality);
  expect(bench.until(() => bench.isUp, 30_000)).toBe(true);
  const from = bench.commands.findIndex((command) => command.startsWith("AT+SYSLOG"));
  const to = bench.commands.findIndex((command) => command.startsWith("AT+CIPSTART"));
  return bench.commands.slice(from, to + 1);
}

/** At every step, or some of them, this happens. */
function atSteps(steps: readonly string[], happen: (step: string, place: number) => void): void {
  for (let place = 0; place < steps.length; place += STRIDE) happen(steps[place] ?? "", place);
}

/** Lets time pass until the module gets the command that has this place among those, and `ms` more. */
function reach(bench: TlsBench, place: number, ms: number): void {
  const isThere = (): boolean => {
    const from = bench.commands.findIndex((command) => command.startsWith("AT+SYSLOG"));
    return from >= 0 && bench.commands.length > from + place;
  };
  for (let i = 0; i < 30_000 && !isThere(); i++) bench.clock.runFor(1);
  expect(isThere()).toBe(true);
  bench.clock.runFor(ms);
}

/** It comes to a stream that carries bytes; what the module was given is what the board has. */
function expectSafe(bench: TlsBench, ms: number, what: string): void {
  expect(bench.until(() => bench.isUp, ms), what).toBe(true);
  bench.userSends(600);
  bench.peerSends(900);
  expect(bench.until(() => bench.peer?.received.length === 600 && bench.user.inbox.length === 900, 20_000), what).toBe(true);
  bench.check();
  expect(bench.connects.length, what).toBeGreaterThan(0);
  expect(bench.wifi.status.trust, what).toBe(Trust.Verified);
}

describe.each(ABLE)("with %s", (personality) => {
  const steps = stepsOf(personality);

  it("a reboot at any step of the way costs that way once more", () => {
    atSteps(steps, (step, place) => {
      for (const ms of [0, 12]) {
        const bench = started(personality);
        reach(bench, place, ms);
        bench.module.crash();
        expectSafe(bench, 60_000, `${step} + ${ms}`);
        // A file that was written and is there is not written again.
        expect(bench.wifi.status.certificateWrites, step).toBeLessThanOrEqual(4);
      }
    });
  });

  it("a line that is cut for a while at any step of the way", () => {
    atSteps(steps, (step, place) => {
      const bench = started(personality);
      reach(bench, place, 0);
      const until = bench.clock.now + 1500;
      const cut = (byte: number): number[] => (bench.clock.now < until ? [] : [byte]);
      bench.toHost = cut;
      bench.toModule = cut;
      expectSafe(bench, 90_000, step);
      expect(bench.wifi.status.certificateWrites, step).toBeLessThanOrEqual(5);
    });
  });

  it.each<FaultName>([
    "cmd.no_reply", "cmd.error_spurious", "cmd.busy_p", "cmd.busy_then_ok", "cmd.late_ok", "urc.in_reply",
  ])("%s at any step of the way", (fault) => {
    atSteps(steps, (step, place) => {
      const bench = started(personality);
      reach(bench, Math.max(place - 1, 0), 0);
      bench.flashTool.faults.strike(fault);
      expectSafe(bench, 120_000, step);
    });
  });

  it.each<FaultName>(["prompt.lost", "prompt.late", "prompt.split", "prompt.space"])("%s of any write", (fault) => {
    steps.forEach((step, place) => {
      if (!/^AT\+SYS(FLASH=1|MFG=2)/.test(step)) return;
      const bench = started(personality);
      reach(bench, place - 1, 0);
      bench.flashTool.faults.strike(fault);
      expectSafe(bench, 120_000, step);
    });
  });

  it("without a reset pin a lost prompt and a reboot in a write are overcome too", () => {
    const writes = steps.flatMap((step, place) => (/^AT\+SYS(FLASH=1|MFG=2)/.test(step) ? [place] : []));
    for (const place of [writes[0] ?? 0, writes.at(-1) ?? 0]) {
      const prompt = started(personality, { resetLine: false });
      reach(prompt, place - 1, 0);
      prompt.flashTool.faults.strike("prompt.lost");
      expectSafe(prompt, 240_000, `prompt ${place}`);
      const crash = started(personality, { resetLine: false });
      reach(crash, place, 8);
      crash.module.crash();
      expectSafe(crash, 120_000, `crash ${place}`);
    }
  });

  it("bytes that are lost or changed on the way to the module are found when they are read back", () => {
    for (const meddled of [[], [121], [122, 122]]) {
      const bench = started(personality, { ca: Buffer.concat([LONG_CA, Buffer.from("z\n")]) });
      let left = 1;
      bench.toModule = (byte) => (byte === 122 && left-- > 0 ? meddled : [byte]);
      expectSafe(bench, 120_000, String(meddled));
      expect(bench.wifi.status.certificateWrites).toBe(4);
    }
  });

  it("bytes that are lost or changed on the way from the module have nothing written that is there", () => {
    const bench = started(personality);
    expectSafe(bench, 30_000, "first");
    const written = bench.wifi.status.certificateWrites;
    for (const meddled of [[], [36], [35, 35]]) {
      let left = 1;
      bench.toHost = (byte) => (byte === 35 && left-- > 0 ? meddled : [byte]);
      const { ups } = bench.user;
      bench.module.crash();
      expect(bench.until(() => bench.user.ups > ups, 90_000)).toBe(true);
      expect(left).toBeLessThan(1);
    }
    expect(bench.wifi.status.certificateWrites).toBe(written);
  });

  it("a module that keeps nothing as it was given is not trusted, and its flash not worn out", () => {
    const bench = started(personality, { ca: Buffer.concat([LONG_CA, Buffer.from("z\n")]) });
    bench.toModule = (byte) => [byte === 122 ? 121 : byte];
    bench.clock.runFor(600_000);
    expect(bench.connects).toEqual([]);
    expect(bench.peers).toEqual([]);
    const { status } = bench.wifi;
    expect(status.trust).toBe(Trust.NotStored);
    // The hold is 10 s longer each time.
    expect(status.certificateWrites).toBeGreaterThan(5);
    expect(status.certificateWrites).toBeLessThan(13);
    expect(status).toMatchObject({ resets: 1, reboots: 0 });
    bench.toModule = undefined;
    expectSafe(bench, 600_000, "at last");
  });

  it("a hold is over after a month without Wi-Fi, in which the clock has gone round", () => {
    const bench = started(personality, { ca: Buffer.concat([LONG_CA, Buffer.from("z\n")]) });
    bench.spoil("#\n", "y");
    expect(bench.until(() => bench.wifi.status.trust === Trust.NotStored, 30_000)).toBe(true);
    bench.air.up = false;
    bench.clock.runFor(30_000);
    bench.skipped = 2 ** 31 - 5000;
    bench.toModule = undefined;
    bench.clock.runFor(10_000);
    bench.air.up = true;
    expectSafe(bench, 60_000, "at last");
  });

  it("files that are gone at each waking do not wear flash out, and where they stay new ones are written at once", () => {
    const bench = new TlsBench({ personality }).open();
    const wake = (): void => {
      bench.module.crash();
      bench.clock.runFor(30_000);
    };
    bench.clock.runFor(30_000);
    for (let i = 0; i < 20; i++) {
      bench.flashTool.burn("client_ca", OTHER_CA);
      wake();
    }
    const { status } = bench.wifi;
    // The hold is 10 s longer each time.
    expect(status.certificateWrites).toBeGreaterThan(5);
    expect(status.certificateWrites).toBeLessThan(13);
    expectSafe(bench, 180_000, "kept");
    wake();
    const written = status.certificateWrites;
    bench.flashTool.burn("client_ca", OTHER_CA);
    wake();
    expect(bench.isUp).toBe(true);
    expect(status.certificateWrites).toBe(written + 1);
  });

  it.each([
    ["AT+CIPSSLCCONF=0,", "0", { authority: "another authority", names: ["broker"] }],
    ["AT+CIPSSLCCONF=0", "", { authority: "another authority", names: ["broker"] }],
    ["AT+CIPSSLCCN=", "2", { authority: "our authority", names: ["elsewhere.test"] }],
  ])("an order for the check that is damaged behind %s is found out: nobody is met unchecked", (words, replacement, server) => {
    const wrong = new TlsBench({ personality, server });
    wrong.spoil(words, replacement, 1);
    wrong.open();
    wrong.clock.runFor(30_000);
    expect(wrong.peers).toEqual([]);
    expect(wrong.connects.length).toBeGreaterThan(0);

    const once = new TlsBench({ personality });
    once.spoil(words, replacement, 1);
    expectSafe(once.open(), 20_000, words);
    expect(once.saidOf("AT+CIPSSLCCONF=")).toHaveLength(2);
    expect(once.wifi.status).toMatchObject({ openFailures: 0, resyncs: 0 });

    const always = new TlsBench({ personality });
    always.spoil(words, replacement);
    always.open();
    always.clock.runFor(60_000);
    expect(always.connects).toEqual([]);
    expect(always.wifi.status.trust).toBe(Trust.Failed);
    expect(always.wifi.status.resyncs).toBeGreaterThan(0);
    always.toModule = undefined;
    expectSafe(always, 30_000, words);
  });

  it.each(["+CIPSSLCCONF:0", '+CIPSSLCCN:0,"'])("an answer about the check of which only %s comes is asked for again", (words) => {
    const bench = new TlsBench({ personality });
    let came = "";
    let cut = false;
    bench.toHost = (byte) => {
      if (byte < 32) cut = false;
      if (cut) return [];
      came += String.fromCharCode(byte);
      cut = came.indexOf(words) === came.length - words.length;
      return [byte];
    };
    expectSafe(bench.open(), 20_000, words);
    expect(came).toContain(`${words}\r\n`);
    expect(bench.saidOf("AT+CIPSSLCCONF=")).toHaveLength(2);
    expect(bench.wifi.status).toMatchObject({ openFailures: 0, resyncs: 0 });
  });

  it.each(["AT+CIPSSLCCONF", "AT+CIPSSLCCN", "AT+CIPSSLCSNI"])(
    "%s refused is told of, and the set-up and whatever stream there is are doubted", (order) => {
      const bench = new TlsBench({ personality });
      bench.spoil(order, "-");
      bench.open();
      expect(bench.until(() => bench.user.losses.length === 1, 20_000)).toBe(true);
      expect(bench.wifi.status.trust).toBe(Trust.Unsupported);
      expect(bench.until(() => bench.user.losses.length === 2, 20_000)).toBe(true);
      expect(bench.saidOf("AT+CIPCLOSE=0").length).toBeGreaterThan(0);
      expect(bench.wifi.status.resyncs).toBe(0);
      expect(bench.until(() => bench.user.losses.length === 4, 20_000)).toBe(true);
      expect(bench.wifi.status).toMatchObject({ resyncs: 1, resets: 1 });
      expect(bench.connects).toEqual([]);
      expect(bench.saidOf("AT+CIPMUX=1")).toHaveLength(2);
      bench.toModule = undefined;
      expectSafe(bench, 30_000, order);
    });

  it("a module without memory for TLS is given time, be it that it says ERROR or falls over", () => {
    for (const delay of [4000, 10_000, 0]) {
      const bench = started(personality);
      bench.flashTool.faults.strike("module.tls_oom", delay);
      expectSafe(bench, 60_000, String(delay));
    }
  });

  it.each<FaultName>(["dns.fail", "dns.slow", "sntp.unset", "link.already", "link.error_then_closed", "link.connect_late"])(
    "%s before the first stream", (fault) => {
      const bench = started(personality);
      bench.flashTool.faults.strike(fault);
      expectSafe(bench, 150_000, fault);
    });

  it("what is read is less than what was announced, or comes behind CLOSED, as ciphertext is counted: no byte is out of place", () => {
    const bench = started(personality);
    expectSafe(bench, 30_000, "first");
    for (const few of [0, 1, 100]) {
      bench.flashTool.faults.strike("passive.len_mismatch", few);
      const had = bench.user.inbox.length;
      bench.peerSends(700);
      expect(bench.until(() => bench.user.inbox.length === had + 700, 20_000), String(few)).toBe(true);
    }
    bench.flashTool.faults.strike("link.closed_before_data");
    bench.peerSends(500);
    expect(bench.until(() => bench.user.ups === 2, 20_000)).toBe(true);
    bench.check();
  });

  it("Wi-Fi that goes and comes back in the middle of it", () => {
    steps.forEach((step, place) => {
      if (place % 5 !== 0) return;
      const bench = started(personality);
      reach(bench, place, 0);
      bench.air.up = false;
      bench.clock.runFor(15_000);
      bench.air.up = true;
      expectSafe(bench, 120_000, step);
    });
  });
});
