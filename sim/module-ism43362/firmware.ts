import type { AccessPoint } from "../air";
import type { SimClock } from "../clock";
import type { LineEnd } from "../line";
import type { ModuleObserver, ResetCause } from "../module/observer";
import { TaskTimers } from "../module/task-timers";
import type { Network } from "../network/network";
import type { Random } from "../random";
import { COMMANDS, Refused } from "./commands";
import { ERROR, LIMITS, OK, PROMPT, TIMINGS } from "./facts";
import { Station } from "./station";
import { Transport } from "./transport";

const CR = 13;
const LF = 10;

/** What a module is made of and put into. */
export interface Hardware {
  readonly clock: SimClock;
  readonly line: LineEnd;
  readonly network: Network;
  readonly air: AccessPoint;
  readonly random: Random;
  readonly observer: ModuleObserver;
  readonly mac: string;
  restart(cause: ResetCause): void;
}

/**
 * One life of the module's firmware, from its first prompt to the next reset. Everything that a reset forgets lives in
 * here, so forgetting is making a new one.
 *
 * It reads a command, carries it out, replies, and only then reads the next: what comes meanwhile waits in the UART's
 * ring, or is lost when that is full (chosen).
 */
export class Firmware {
  readonly mac: string;
  readonly network: Network;
  readonly air: AccessPoint;
  readonly timers: TaskTimers;
  readonly station: Station;
  /** `MT=1`: no line on how a command is used. */
  quietErrors = false;
  /** What `U2` has set, for `U0`. */
  nextBaud: number;
  /** The socket that `P0` has chosen. */
  chosen = 0;
  private readonly transports: readonly Transport[];
  /** Bytes that the UART has handed over and that are not read yet. */
  private pending: Uint8Array = new Uint8Array(0);
  /** The command that is being read, or that runs. */
  private command = "";
  private tooLong = false;
  /** A command runs. */
  private busy = false;
  /** Payload that is still to come, and what of it has come; undefined: a command is being read. */
  private payload: { readonly length: number; readonly bytes: number[] } | undefined;

  constructor(private readonly hardware: Hardware) {
    const { clock, network, air, random, observer, mac, line } = hardware;
    this.mac = mac;
    this.network = network;
    this.air = air;
    this.nextBaud = line.baud;
    this.timers = new TaskTimers(clock, random);
    this.transports = Array.from({ length: LIMITS.sockets }, (_, id) => new Transport(id, network, this.timers, observer));
    this.station = new Station(air, mac, this.timers, observer, {
      radioLost: () => this.transports.forEach((transport) => transport.strand()),
      networkLost: () => this.transports.forEach((transport) => {
        if (transport.open) transport.end();
      }),
    });
  }

  get transport(): Transport {
    const transport = this.transports[this.chosen];
    if (transport === undefined) throw new RangeError(`there is no socket ${this.chosen}`);
    return transport;
  }

  get baud(): number {
    return this.hardware.line.baud;
  }

  /** The end of the boot. */
  start(): void {
    this.print(PROMPT);
    this.hardware.observer.ready?.();
  }

  /** The end of this life: nothing is printed, and no socket says goodbye. */
  stop(): void {
    this.timers.stop();
    this.station.stop();
    this.transports.forEach((transport) => transport.drop());
  }

  /** Bytes from the UART. */
  accept(chunk: Uint8Array): void {
    this.pending = Buffer.concat([this.pending, chunk]);
    this.readOn();
  }

  private readOn(): void {
    let at = 0;
    for (; at < this.pending.length && !this.busy; at += 1) {
      const byte = this.pending[at] ?? 0;
      if (this.payload !== undefined) this.collect(byte);
      else this.read(byte);
    }
    this.pending = this.pending.subarray(at);
  }

  /** The reply of a command that could be carried out. */
  succeed(data: string | Uint8Array = ""): void {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.reply(Buffer.concat([Buffer.from("\r\n"), bytes, Buffer.from(`${OK}${PROMPT}`)]));
  }

  /** The reply of one that could not, after what it has said. */
  fail(said?: string): void {
    const usage = this.quietErrors ? "" : `\r\nUsage: ${this.command.slice(0, 2)} `;
    this.reply(Buffer.from(`${said === undefined ? "" : `\r\n${said}`}${ERROR}${usage}${PROMPT}`, "latin1"));
  }

  /** `ZR`: there is no reply but the prompt of the next life. */
  restart(): void {
    this.hardware.restart("command");
  }

  /** `U0`: what is said about it is said at the new rate. */
  changeBaud(): void {
    this.hardware.line.setBaud(this.nextBaud);
    this.succeed();
  }

  /** CR ends a command; LF is nothing. */
  private read(byte: number): void {
    if (byte === LF) return;
    if (byte !== CR) {
      if (this.command.length >= LIMITS.line) this.tooLong = true;
      else this.command += String.fromCharCode(byte);
      return;
    }
    this.hardware.observer.fromHost?.(Buffer.from(`${this.command}\r`, "latin1"));
    this.hardware.observer.command?.(this.command);
    const [, length] = /^S3=(\d{1,4})$/.exec(this.command) ?? [];
    if (length !== undefined && Number(length) >= 1 && Number(length) <= LIMITS.send) {
      this.payload = { length: Number(length), bytes: [] };
    } else if (this.command === "S0") {
      this.payload = { length: this.transport.writeSize, bytes: [] };
    } else {
      this.run(() => this.carryOut());
    }
  }

  /** The module waits for all of the payload, however long that takes (chosen). */
  private collect(byte: number): void {
    const { payload } = this;
    if (payload === undefined) return;
    payload.bytes.push(byte);
    if (payload.bytes.length < payload.length) return;
    this.payload = undefined;
    const bytes = Uint8Array.from(payload.bytes);
    this.hardware.observer.fromHost?.(bytes);
    this.run(() => {
      this.transport.write(bytes, (ok) => this.succeed(ok ? String(payload.length) : "-1"));
    });
  }

  private run(act: () => void): void {
    this.busy = true;
    this.hardware.line.setListening(false);
    this.timers.within(TIMINGS.command, act);
  }

  private carryOut(): void {
    const [, name = "", value = ""] = /^([A-Z][0-9A-Z?])(?:=(.*))?$/s.exec(this.command) ?? [];
    const handler = this.tooLong || !Object.hasOwn(COMMANDS, name) ? undefined : COMMANDS[name];
    try {
      if (handler === undefined) throw new Refused();
      handler(this, value);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fail();
    }
  }

  private reply(bytes: Uint8Array): void {
    this.print(bytes);
    this.command = "";
    this.tooLong = false;
    this.busy = false;
    this.hardware.line.setListening(true);
    // What came meanwhile is read now, but not within what has just ended.
    this.timers.after(0, () => this.readOn());
  }

  private print(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    this.hardware.observer.toHost?.(bytes);
    this.hardware.line.write(bytes);
  }
}
