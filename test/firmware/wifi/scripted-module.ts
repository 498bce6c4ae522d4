/**
 * A board's place with nothing real in it: a serial port, a reset line and a loop on a virtual clock. The test plays
 * the module by hand. The loop turns as the one of `firmware/board/assembly.ts` does, when a byte arrives or when the
 * wait that the driver asked for is over, so a driver that asks to be left alone for too long is caught.
 */
import { expect } from "vitest";
import { createEspAt } from "../../../firmware/wifi/esp-at";
import type { EspAt } from "../../../firmware/wifi/esp-at-state";
import type { WifiOptions } from "../../../firmware/wifi/module";
import type { Bytes, Hal } from "../../../hal/hal";
import { computerSystem, deadConsole } from "../../../hal/node/computer";
import { view } from "../../../hal/node/view";
import { SimClock, type Timer } from "../../../sim/clock";
import { Random } from "../../../sim/random";
import { RecordingUser } from "./recording-user";

const TURN_MS = 0.1;

export interface ScriptedOptions {
  readonly driver?: Partial<WifiOptions>;
  /** Whether the board wires the module's reset line. Default true. */
  readonly resetLine?: boolean;
  /** What the board's clock shows at the beginning. Default 0. */
  readonly startAt?: number;
  /** Size of the transmit ring, and how many bytes leave it in a millisecond. Default: as good as endless. */
  readonly ring?: number;
  readonly leavesPerMs?: number;
  readonly seed?: number;
}

/** What a module that has said nothing of its version is told. */
export const SETUP_COMMANDS = [
  "ATE0",
  "AT+GMR",
  "AT+SYSSTORE=0",
  "AT+CWMODE=1",
  "AT+CIPMODE=0",
  "AT+CIPCLOSE=5",
  "AT+CIPMUX=1",
  "AT+CIPDINFO=0",
  "AT+CIPRECVMODE=1",
] as const;

/** The question for the signal, which comes when nothing else does. */
const SIGNAL = "AT+CWJAP?\r\n";

export class ScriptedModule {
  readonly clock = new SimClock();
  readonly esp: EspAt;
  readonly user = new RecordingUser();
  /** When the reset line changed, and to what. */
  readonly resets: { readonly at: number; readonly held: boolean }[] = [];
  /** What the host wrote, one entry a write. */
  readonly writes: { readonly at: number; readonly text: string }[] = [];
  turns = 0;
  /** What the serial port says it has lost. */
  lost = 0;
  /** What is said, unseen by the test, when the signal is asked for; undefined: the test sees to it. */
  signal: string | undefined = '+CWJAP:"home","00:11:22:33:44:55",6,-61,0,1,0,1,0\r\n\r\nOK\r\n';
  /** The rates that the serial port was set to, and whether it can do one. */
  readonly rates: number[] = [];
  canDo: (baud: number) => boolean = () => true;
  /** Sees the bytes of each write, and each change of the reset line. Must not answer at once: see {@link after}. */
  onWrite: (bytes: Uint8Array) => void = () => undefined;
  onReset: (held: boolean) => void = () => undefined;

  private readonly startAt: number;
  private readonly ring: number;
  private readonly leavesPerMs: number;
  private filled = 0;
  private filledAt = 0;
  private arrived: number[] = [];
  private unseen = "";
  private next: Timer | undefined;

  constructor(options: ScriptedOptions = {}) {
    this.startAt = options.startAt ?? 0;
    this.ring = options.ring ?? Infinity;
    this.leavesPerMs = options.leavesPerMs ?? 1000;
    this.esp = createEspAt(this.hal(options.resetLine ?? true, new Random(options.seed ?? 1)), {
      networks: [{ ssid: "home", password: "secret" }],
      baud: 115200,
      maxBaud: 115200,
      window: 1027,
      maxSend: 2048,
      maxReceive: 1024,
      pollEvery: 2000,
      security: undefined,
      ...options.driver,
    });
    this.user.attach(this.esp);
    this.next = this.clock.at(0, () => this.turn());
  }

  /** The moment on the board's clock. */
  get now(): number {
    return (Math.floor(this.clock.now) + this.startAt) | 0;
  }

  /** Milliseconds since the beginning. */
  get elapsed(): number {
    return this.clock.now;
  }

  /** One turn of the board's loop. */
  turn(): void {
    this.turns++;
    const now = this.now;
    this.esp.receive(now);
    this.user.poll(now);
    this.esp.pump(now);
    const wait = Math.min(this.esp.wait(now), this.user.wait(now));
    if (wait < 0) throw new Error(`the driver asks for a wait of ${wait} ms`);
    this.next?.cancel();
    // Waits count from whole milliseconds of the board's clock.
    const due = Math.floor(this.clock.now) + wait;
    this.next = this.clock.at(Math.max(due, this.clock.now + TURN_MS), () => this.turn());
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.clock.runFor(ms);
  }

  after(ms: number, happen: () => void): void {
    this.clock.after(ms, happen);
  }

  /** The module says something: it is there at once, in one piece, and the loop turns. */
  say(text: string | Uint8Array): void {
    this.arrived.push(...(typeof text === "string" ? Buffer.from(text, "latin1") : text));
    this.turn();
  }

  /** The same, with a turn of the loop after every byte. */
  sayByteByByte(text: string): void {
    for (const byte of Buffer.from(text, "latin1")) {
      this.say(Uint8Array.of(byte));
      this.advance(0.1);
    }
  }

  /** What the host has written since the last time somebody looked. */
  take(): string {
    const text = this.unseen;
    this.unseen = "";
    return text;
  }

  expectCommand(text: string): void {
    this.advance(1);
    expect(this.take()).toBe(`${text}\r\n`);
  }

  expectNothing(): void {
    this.advance(1);
    expect(this.take()).toBe("");
  }

  /** Expects a command and answers it. */
  answer(command: string, ...reply: readonly string[]): void {
    this.expectCommand(command);
    for (const part of reply) this.say(part);
  }

  /** Waits until the host has written something. */
  waitForCommand(ms: number): string {
    const end = this.clock.now + ms;
    while (this.unseen === "" && this.clock.now < end) this.advance(1);
    return this.take();
  }

  /** Reset, `ready`. */
  boot(): void {
    this.advance(150);
    expect(this.resets.at(-1)?.held).toBe(false);
    this.advance(300);
    expect(this.take()).toBe("");
    this.say("\r\nready\r\n");
  }

  setUp(): void {
    for (const command of SETUP_COMMANDS) this.answer(command, "\r\nOK\r\n");
  }

  /** Answers two probes and the set-up that follows. */
  findBack(): void {
    for (let probe = 0; probe < 2; probe++) {
      expect(this.waitForCommand(500)).toBe("AT\r\n");
      this.say("\r\nOK\r\n");
    }
    this.setUp();
  }

  join(): void {
    this.answer('AT+CWJAP="home","secret"', "WIFI CONNECTED\r\n", "WIFI GOT IP\r\n", "\r\nOK\r\n");
  }

  open(): void {
    if (this.user.state === "down") {
      this.user.open("broker", 1883);
      this.turn();
    }
    this.answer('AT+CIPSTART=0,"TCP","broker",1883,60', "0,CONNECT\r\n", "\r\nOK\r\n");
    expect(this.user.state).toBe("up");
  }

  /** The peer closes, and has nothing more to say. */
  peerCloses(): void {
    this.say("0,CLOSED\r\n");
    this.answer("AT+CIPRECVDATA=0,512", "\r\nERROR\r\n");
  }

  /** A board in its network that has been asked for the link, and whose connect is the next command. */
  dial(): this {
    this.boot();
    this.setUp();
    this.join();
    this.user.open("broker", 1883);
    this.turn();
    return this;
  }

  /** A board with a link that is up. */
  bringUp(): this {
    this.dial();
    this.open();
    return this;
  }

  /** Queues bytes and turns the loop, as a program that has something to say does. */
  send(bytes: Uint8Array | string): void {
    this.user.queue(bytes);
    this.turn();
  }

  private hal(resetLine: boolean, random: Random): Hal {
    return {
      clock: { now: () => this.now },
      serial: {
        read: (into: Bytes, at: number, room: number) => {
          if (room < 1) throw new Error("the driver reads without room");
          const piece = this.arrived.splice(0, room);
          view(into).set(piece, at);
          return piece.length;
        },
        write: (from: Bytes, at: number, count: number) => this.write(view(from).slice(at, at + count)),
        lost: () => this.lost,
        setBaud: (baud: number) => {
          if (!this.canDo(baud)) return false;
          this.rates.push(baud);
          return true;
        },
      },
      console: deadConsole,
      system: computerSystem(() => undefined),
      reset: {
        present: resetLine,
        hold: (held: boolean) => {
          if (!resetLine) return;
          this.resets.push({ at: this.clock.now, held });
          this.onReset(held);
        },
      },
      pins: { configure: () => false, write: () => undefined, read: () => false },
      analog: { read: () => -1 },
      entropy: { next: () => random.int(0x80000000) },
      storage: { load: () => 0, save: () => false },
      watchdog: { start: () => undefined, feed: () => undefined },
      idle: () => undefined,
    };
  }

  private write(bytes: Uint8Array): number {
    const gone = Math.floor((this.clock.now - this.filledAt) * this.leavesPerMs);
    this.filled = Math.max(this.filled - gone, 0);
    this.filledAt = this.clock.now;
    const count = Math.min(bytes.length, this.ring - this.filled);
    if (count <= 0) return 0;
    this.filled += count;
    const text = Buffer.from(bytes.subarray(0, count)).toString("latin1");
    if (text === SIGNAL && this.signal !== undefined) {
      const answer = this.signal;
      this.after(0.5, () => this.say(answer));
      return count;
    }
    this.writes.push({ at: this.clock.now, text });
    this.unseen += text;
    this.onWrite(bytes.subarray(0, count));
    return count;
  }
}
