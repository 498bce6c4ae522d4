/** The rate of the line: raised as far as both ends confirm, lowered when bytes are lost. */
import { describe, expect, it } from "vitest";
import { ScriptedModule, type ScriptedOptions, SETUP_COMMANDS } from "./scripted-module";
import { SimulatedBench } from "./simulated-bench";

const FAST = 921600;
const OK = "\r\nOK\r\n";
const JOIN = 'AT+CWJAP="home","secret"';

/** A board that is set up but for the rate. */
function beforeRate(options: ScriptedOptions = {}): ScriptedModule {
  const rig = new ScriptedModule({ ...options, driver: { maxBaud: FAST, ...options.driver } });
  rig.boot();
  rig.setUp();
  return rig;
}

/** Goes along with a new rate. */
function agree(rig: ScriptedModule, baud: number): void {
  expect(rig.waitForCommand(20)).toBe(`AT+UART_CUR=${baud},8,1,0,0\r\n`);
  rig.say(OK);
  for (let i = 0; i < 3; i++) {
    expect(rig.waitForCommand(60)).toBe("AT\r\n");
    rig.say(OK);
  }
}

describe("raising the rate", () => {
  it("tries the board's port first, then tells the module, and wants three answers at the new rate", () => {
    const rig = beforeRate();
    agree(rig, FAST);
    rig.expectCommand(JOIN);
    expect(rig.rates.slice(-3)).toEqual([FAST, 115200, FAST]);
    expect(rig.esp.status).toMatchObject({ baud: FAST, raises: 1, fallbacks: 0 });
  });

  it("gives the module time to change after its OK, which is at the old rate", () => {
    const rig = beforeRate();
    rig.waitForCommand(20);
    rig.say(OK);
    rig.advance(25);
    expect(rig.rates.at(-1)).toBe(115200);
    rig.advance(10);
    expect(rig.rates.at(-1)).toBe(FAST);
  });

  it("goes down the list while the module refuses, and goes on at the old rate when it refuses all", () => {
    const rig = beforeRate();
    for (const baud of [921600, 460800, 230400]) {
      expect(rig.waitForCommand(20)).toBe(`AT+UART_CUR=${baud},8,1,0,0\r\n`);
      rig.say("\r\nERROR\r\n");
    }
    expect(rig.waitForCommand(20)).toBe(`${JOIN}\r\n`);
    expect(rig.esp.status).toMatchObject({ baud: 115200, raises: 0 });
  });

  it("never tells the module of a rate that the board's own port cannot do", () => {
    const rig = beforeRate();
    rig.canDo = (baud) => baud <= 230400;
    let said = "";
    for (let i = 0; i < 60 && said === ""; i++) said = rig.waitForCommand(100);
    expect(said).toBe("AT+UART_CUR=230400,8,1,0,0\r\n");
    rig.say(OK);
    for (let i = 0; i < 3; i++) {
      expect(rig.waitForCommand(60)).toBe("AT\r\n");
      rig.say(OK);
    }
    rig.expectCommand(JOIN);
    expect(rig.esp.status.baud).toBe(230400);
  });

  it("that is not confirmed ends at the old rate: by the reset pin, and one rate lower the next time", () => {
    const rig = beforeRate();
    rig.waitForCommand(20);
    rig.say(OK);
    for (let i = 0; i < 5; i++) expect(rig.waitForCommand(300)).toBe("AT\r\n");
    rig.advance(300);
    expect(rig.resets.at(-1)?.held).toBe(true);
    rig.advance(1_200);
    expect(rig.resets.at(-1)?.held).toBe(false);
    expect(rig.rates.at(-1)).toBe(115200);
    rig.say("\r\nready\r\n");
    rig.setUp();
    agree(rig, 460800);
    rig.expectCommand(JOIN);
    expect(rig.esp.status).toMatchObject({ baud: 460800, raises: 1, fallbacks: 1, resets: 2 });
  });

  it("that is not confirmed is ordered back blindly without a reset pin, and the module is found at the old rate", () => {
    const rig = new ScriptedModule({ resetLine: false, driver: { maxBaud: FAST } });
    for (let probe = 0; probe < 2; probe++) {
      rig.waitForCommand(200);
      rig.say(OK);
    }
    rig.setUp();
    rig.waitForCommand(20);
    rig.say(OK);
    for (let i = 0; i < 5; i++) expect(rig.waitForCommand(300)).toBe("AT\r\n");
    expect(rig.waitForCommand(300)).toBe("AT+UART_CUR=115200,8,1,0,0\r\n");
    expect(rig.rates.at(-1)).toBe(FAST);
    for (let probe = 0; probe < 2; probe++) {
      expect(rig.waitForCommand(500)).toBe("AT\r\n");
      expect(rig.rates.at(-1)).toBe(115200);
      rig.say(OK);
    }
    rig.setUp();
    agree(rig, 460800);
    rig.expectCommand(JOIN);
  });

  it("begins anew after a reboot, at the rate that the module boots with", () => {
    const rig = beforeRate();
    agree(rig, FAST);
    rig.join();
    rig.open();
    // The module reboots; its `ready` cannot be read at this rate.
    rig.say("\x00\xe0\x00");
    let probed = 0;
    for (let i = 0; i < 100 && rig.rates.at(-1) === FAST; i++) {
      if (rig.waitForCommand(100).startsWith("AT")) probed++;
    }
    expect(rig.rates.at(-1)).toBe(115200);
    expect(probed).toBeLessThanOrEqual(5);
    expect(rig.user.losses).toEqual(["Module"]);
    for (let probe = 0; probe < 2; probe++) {
      expect(rig.waitForCommand(500)).toBe("AT\r\n");
      rig.say("AT\r\n\r\nOK\r\n");
    }
    rig.setUp();
    agree(rig, FAST);
    rig.join();
    expect(rig.esp.status).toMatchObject({ baud: FAST, raises: 2, resets: 1 });
  });
});

describe("a rate at which bytes are lost", () => {
  it("is lowered step by step, down to the one that the module boots with, and the link works", () => {
    const bench = new SimulatedBench({ seed: 3, driver: { maxBaud: FAST } });
    bench.user.reopenAfter = 300;
    bench.user.open("broker", 1883);
    const seen: number[] = [];
    const talk = (): void => {
      bench.userSends(400);
      bench.peerSends(400);
      const { baud } = bench.wifi.status;
      if (seen.at(-1) !== baud) seen.push(baud);
      // The wire carries 115200 baud, and nothing faster.
      bench.module.faults.chance("rx.drop", baud > 115200 ? 0.003 : 0, 1);
      bench.clock.after(400, talk);
    };
    bench.clock.after(2000, talk);
    bench.clock.runFor(400_000);
    bench.check();
    expect(seen.filter((baud, i) => i === 0 || baud < (seen[i - 1] ?? 0))).toContain(115200);
    expect(bench.wifi.status.baud).toBe(115200);
    expect(bench.wifi.status.fallbacks).toBeGreaterThanOrEqual(3);
    const { damaged, timeouts } = bench.wifi.status;
    bench.clock.runFor(60_000);
    expect(bench.user.state).toBe("up");
    expect(bench.wifi.status).toMatchObject({ damaged, timeouts });
  });

  it("is kept when one fault in an hour is all that there is", () => {
    const bench = new SimulatedBench({ seed: 4, driver: { maxBaud: FAST } });
    bench.user.reopenAfter = 300;
    bench.user.open("broker", 1883);
    bench.clock.runFor(5_000);
    for (let hour = 0; hour < 5; hour++) {
      bench.module.faults.strike("rx.drop");
      bench.peerSends(100);
      bench.clock.runFor(3_600_000);
    }
    expect(bench.wifi.status).toMatchObject({ baud: FAST, fallbacks: 0 });
  });
});

describe("a rate that was lowered", () => {
  const HOUR = 3_600_000;
  const MOST = 460800;
  /** A month of minutes takes long in the runtime. */
  const TRIALS = process.env["MOTH_EXECUTOR"] === "lua" ? [4, 8, 16] : [4, 8, 16, 32, 64, 128, 256, 256];

  /** A fault at the serial port takes the link down, and the next is opened. `lowers`: it was one too many. */
  function fault(rig: ScriptedModule, lowers = false): void {
    rig.lost++;
    rig.turn();
    expect(rig.user.losses.at(-1)).toBe("Damaged");
    if (lowers) {
      rig.findBack();
      return;
    }
    rig.answer("AT+CIPCLOSE=0", OK);
    rig.open();
  }

  /** A board whose rate had to go down a step, with a link, that asks for nothing but the signal. */
  function lowered(): ScriptedModule {
    const rig = beforeRate({ driver: { maxBaud: MOST, pollEvery: 500 * HOUR } });
    agree(rig, MOST);
    rig.join();
    rig.open();
    fault(rig);
    fault(rig);
    fault(rig, true);
    agree(rig, 230400);
    rig.open();
    expect(rig.esp.status).toMatchObject({ baud: 230400, raises: 2, fallbacks: 1 });
    return rig;
  }

  it("is raised again after hours without a fault, and the link stays up meanwhile", () => {
    const rig = lowered();
    const losses = rig.user.losses.length;
    rig.advance(3.9 * HOUR);
    rig.expectNothing();
    expect(rig.waitForCommand(0.2 * HOUR)).toBe(`AT+UART_CUR=${MOST},8,1,0,0\r\n`);
    // Data that comes meanwhile waits.
    rig.say(`\r\n+IPD,0,5\r\n${OK}`);
    for (let i = 0; i < 3; i++) {
      expect(rig.waitForCommand(60)).toBe("AT\r\n");
      rig.say(OK);
    }
    rig.answer("AT+CIPRECVDATA=0,512", "+CIPRECVDATA:5,hello\r\nOK\r\n");
    expect(rig.user.receivedText).toBe("hello");
    expect(rig.esp.status).toMatchObject({ baud: MOST, raises: 3, fallbacks: 1 });
    expect(rig.user.losses).toHaveLength(losses);
    // It is as high as it may be.
    rig.advance(20 * HOUR);
    rig.expectNothing();
  });

  it("that cannot be raised is tried after twice as long each time, up to ten days", () => {
    const rig = lowered();
    const trials = [rig.elapsed];
    rig.onWrite = (bytes) => {
      const command = Buffer.from(bytes).toString();
      if (command === `AT+UART_CUR=${MOST},8,1,0,0\r\n`) trials.push(rig.elapsed);
      rig.after(1, () => rig.say("\r\nERROR\r\n"));
    };
    rig.advance((TRIALS.reduce((sum, hours) => sum + hours, 0) + 1) * HOUR);
    expect(trials.slice(1).map((at, i) => Math.round((at - (trials[i] ?? 0)) / HOUR))).toEqual(TRIALS);
    expect(rig.user.state).toBe("up");
    expect(rig.esp.status).toMatchObject({ baud: 230400, raises: 2, fallbacks: 1 });
  });

  it("stays where it is as long as a fault comes every three hours", () => {
    const rig = lowered();
    for (let i = 0; i < 8; i++) {
      rig.advance(3 * HOUR);
      rig.expectNothing();
      fault(rig);
    }
    expect(rig.esp.status).toMatchObject({ baud: 230400, raises: 2, fallbacks: 1 });
    expect(rig.waitForCommand(4.1 * HOUR)).toBe(`AT+UART_CUR=${MOST},8,1,0,0\r\n`);
  });

  it("is left alone where data comes unasked", () => {
    const rig = new ScriptedModule({ driver: { maxBaud: MOST } });
    rig.boot();
    for (const command of SETUP_COMMANDS.slice(0, -1)) rig.answer(command, OK);
    rig.answer("AT+CIPRECVMODE=1", "\r\nERROR\r\n");
    rig.answer("AT+CIPRECVTYPE=5,1", "\r\nERROR\r\n");
    rig.join();
    rig.advance(24 * HOUR);
    rig.expectNothing();
  });

  it("is raised on the simulated module by a step, with bytes under way, and none is out of place", () => {
    const bench = new SimulatedBench({ seed: 3, driver: { maxBaud: MOST, pollEvery: 60_000 } });
    bench.user.reopenAfter = 300;
    bench.user.open("broker", 1883);
    let bad = true;
    const talk = (): void => {
      bench.userSends(200);
      bench.peerSends(200);
      bad &&= bench.wifi.status.fallbacks < 2;
      bench.module.faults.chance("rx.drop", bad && bench.wifi.status.baud > 115200 ? 0.01 : 0, 1);
      bench.clock.after(bad ? 400 : 60_000, talk);
    };
    bench.clock.after(2000, talk);
    bench.clock.runFor(600_000);
    expect(bench.wifi.status).toMatchObject({ baud: 115200, fallbacks: 2 });
    const losses = bench.user.losses.length;
    bench.clock.runFor(4.5 * HOUR);
    expect(bench.wifi.status).toMatchObject({ baud: 230400, fallbacks: 2 });
    expect(bench.user.losses).toHaveLength(losses);
    bench.check();
  });
});
