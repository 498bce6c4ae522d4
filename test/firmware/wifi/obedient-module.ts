/**
 * A module that does what ESP-AT does, in as few lines as a fault can be put into: every reply passes named points, and
 * at one of them, once, something goes wrong. After that it behaves.
 */
import { counterByte, counterStream } from "./recording-user";
import type { ScriptedModule } from "./scripted-module";

type State = "off" | "idle" | "processing" | "sendwait" | "sending";
type Piece = string | Uint8Array | (() => void) | { readonly point: string };

/** What goes wrong, and where: at the point `at` when it is passed for the `nth` time (from 1; default 1). */
export interface Mishap {
  readonly at: string;
  readonly nth?: number;
  happen(module: ObedientModule): void;
}

/** One TCP connection, as its peer sees it. */
export interface Connection {
  readonly received: number[];
  /** How much of its own stream the peer has sent. */
  sent: number;
  open: boolean;
}

const BOOT_MS = 300;

export class ObedientModule {
  readonly connections: Connection[] = [];
  /** Every command line it has seen, and the points that were passed. */
  readonly commands: string[] = [];
  readonly passed = new Set<string>();
  state: State = "off";
  echo = true;
  multiple = false;
  passive = false;
  wifi = false;
  /** A module that hears nothing and says nothing, until it is reset or, if so set, until `+++`. */
  silent = false;
  wakesAtCancel = false;
  /** Answers nothing but `busy p...`. */
  alwaysBusy = false;
  /** Why joins fail: the number in `+CWJAP:<n>`; 0 when they do not. */
  joinCode = 0;

  private life = 0;
  private line = "";
  private payload: number[] = [];
  private payloadLength = 0;
  private lastChunkAt = -1000;
  private waiting: number[] = [];
  private announced = false;
  private mishapLeft: number;

  constructor(
    readonly rig: ScriptedModule,
    private readonly mishap: Mishap = { at: "", happen: () => undefined },
  ) {
    this.mishapLeft = mishap.nth ?? 1;
    rig.onWrite = (bytes) => {
      const life = this.life;
      rig.after(0.2, () => {
        if (life === this.life) this.accept(bytes);
      });
    };
    rig.onReset = (held) => (held ? this.die() : this.boot(BOOT_MS));
    if (!rig.esp.reset.present) this.boot(BOOT_MS);
  }

  get connection(): Connection | undefined {
    return this.connections.findLast((connection) => connection.open);
  }

  die(): void {
    this.life++;
    this.state = "off";
    this.silent = false;
    this.alwaysBusy = false;
    this.wifi = false;
    this.echo = true;
    this.multiple = false;
    this.passive = false;
    this.line = "";
    this.drop();
  }

  /** Everything is forgotten; `ready` comes unless the reboot is `silent`. */
  reboot(how: "loud" | "silent"): void {
    this.die();
    if (how === "silent") this.state = "idle";
    else this.boot(BOOT_MS);
  }

  private boot(ms: number): void {
    this.later(ms, () => {
      this.play([{ point: "boot" }, () => (this.state = "idle"), "\r\nready\r\n", { point: "ready" }]);
    });
  }

  /** The peer sends the next bytes of its stream. */
  peerSends(count: number): void {
    const connection = this.connection;
    if (connection === undefined) return;
    this.waiting.push(...counterStream(connection.sent, count));
    connection.sent += count;
    this.announce();
  }

  /** The connection is over, without a word to the host. */
  drop(): void {
    const connection = this.connection;
    if (connection !== undefined) connection.open = false;
    this.waiting = [];
    this.announced = false;
  }

  private announce(): void {
    if (this.waiting.length === 0 || this.announced || this.silent || this.state === "off") return;
    if (!this.passive) {
      const data = this.waiting.splice(0);
      const head = Buffer.from(`\r\n+IPD,0,${data.length}:`);
      this.rig.say(Buffer.concat([head, Uint8Array.from(data), Buffer.from("\r\n")]));
      return;
    }
    this.announced = true;
    this.rig.say(`\r\n+IPD,0,${this.waiting.length}\r\n`);
  }

  private later(ms: number, happen: () => void): void {
    const life = this.life;
    this.rig.after(ms, () => {
      if (life === this.life) happen();
    });
  }

  private pass(point: string): void {
    this.passed.add(point);
    if (point !== this.mishap.at || --this.mishapLeft !== 0) return;
    this.mishap.happen(this);
  }

  /** Says pieces a millisecond apart, unless the module dies or goes silent meanwhile. */
  private play(pieces: readonly Piece[]): void {
    const [first, ...rest] = pieces;
    if (first === undefined) return;
    this.later(1, () => {
      if (this.silent) return;
      if (typeof first === "string" || first instanceof Uint8Array) this.rig.say(first);
      else if (typeof first === "function") first();
      else this.pass(first.point);
      this.play(rest);
    });
  }

  private reply(name: string, ...pieces: readonly Piece[]): void {
    const head: Piece = { point: `${name}: before` };
    this.play([head, ...pieces, { point: `${name}: after` }]);
  }

  /** The final result is printed when the next command may come. */
  private end(result: string): Piece[] {
    return [
      () => {
        this.state = "idle";
        this.rig.say(result);
        this.announce();
      },
    ];
  }

  private accept(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    const isolated = this.rig.elapsed - this.lastChunkAt > 2;
    this.lastChunkAt = this.rig.elapsed;
    if (this.silent) {
      if (!this.wakesAtCancel || text !== "+++" || !isolated) return;
      this.silent = false;
      if (this.state !== "sendwait") {
        this.state = "idle";
        return;
      }
    }
    switch (this.state) {
      case "off":
      case "sending":
        return;
      case "processing":
        this.rig.say("\r\nbusy p...\r\n");
        return;
      case "sendwait":
        if (text === "+++" && isolated) {
          this.state = "idle";
          this.rig.say("\r\nSEND Canceled\r\n");
          return;
        }
        this.collect(bytes);
        return;
      case "idle":
        this.line += text;
        this.interpret();
        return;
    }
  }

  private collect(bytes: Uint8Array): void {
    const before = this.payload.length;
    this.payload.push(...bytes);
    const half = this.payloadLength / 2;
    if (before < half && this.payload.length >= half) this.pass("send: payload");
    if (this.state !== "sendwait" || this.payload.length < this.payloadLength) return;
    this.state = "sending";
    const connection = this.connection;
    const payload = this.payload.slice(0, this.payloadLength);
    this.play([
      `\r\nRecv ${payload.length} bytes\r\n`,
      { point: "send: Recv" },
      () => {
        if (connection?.open === true) connection.received.push(...payload);
      },
      ...this.end(connection?.open === true ? "\r\nSEND OK\r\n" : "\r\nSEND FAIL\r\n"),
      { point: "send: after" },
    ]);
  }

  private interpret(): void {
    const end = this.line.indexOf("\r\n");
    if (end < 0) return;
    const command = this.line.slice(0, end);
    this.line = "";
    this.commands.push(command);
    if (this.echo) this.rig.say(`${command}\r\n`);
    if (this.alwaysBusy) {
      this.rig.say("\r\nbusy p...\r\n");
      return;
    }
    this.state = "processing";
    this.run(command);
  }

  private run(command: string): void {
    const ok = this.end("\r\nOK\r\n");
    const error = this.end("\r\nERROR\r\n");
    if (command === "AT") this.reply("AT", ...ok);
    else if (command === "AT+RST") this.reply("AT+RST", ...ok, () => this.reboot("loud"));
    else if (command === "AT+GMR") this.reply(command, "AT version:2.2.1.0(x)\r\n", ...ok);
    else if (command === "AT+CIPMODE=0" || command === "AT+CIPDINFO=0") this.reply(command, ...ok);
    else if (command === "AT+CWJAP?") {
      const told = this.wifi ? ['+CWJAP:"home","00:11:22:33:44:55",6,-61,0,1,0,1,0\r\n'] : [];
      this.reply("signal", ...told, ...ok);
    } else if (command === "ATE0") this.reply("ATE0", () => (this.echo = false), ...ok);
    else if (command === "AT+CWMODE=1" || command === "AT+SYSSTORE=0") this.reply(command, ...ok);
    else if (command === "AT+CWQAP") this.reply(command, ...ok);
    else if (command === "AT+CIPCLOSE=5") this.reply(command, () => this.drop(), ...ok);
    else if (command === "AT+CIPMUX=1") {
      if (this.connection === undefined) this.reply(command, () => (this.multiple = true), ...ok);
      else this.reply(command, ...error);
    } else if (command === "AT+CIPRECVMODE=1") this.reply(command, () => (this.passive = true), ...ok);
    else if (command === 'AT+CWJAP="home","secret"') this.join();
    else if (command.startsWith("AT+CIP") && this.multiple) this.runStream(command);
    else this.reply("unknown", ...error);
  }

  private join(): void {
    const left = this.wifi ? ["WIFI DISCONNECT\r\n"] : [];
    this.wifi = false;
    this.drop();
    if (this.joinCode > 0) {
      this.reply("join", ...left, `+CWJAP:${this.joinCode}\r\n`, ...this.end("\r\nERROR\r\n"));
      return;
    }
    this.reply(
      "join",
      ...left,
      "WIFI CONNECTED\r\n",
      { point: "join: connected" },
      () => (this.wifi = true),
      "WIFI GOT IP\r\n",
      { point: "join: got ip" },
      ...this.end("\r\nOK\r\n"),
    );
  }

  private runStream(command: string): void {
    const error = this.end("\r\nERROR\r\n");
    const numbers = /=0,(\d+)$/.exec(command);
    const count = Number(numbers?.[1] ?? 0);
    if (command.startsWith('AT+CIPSTART=0,"TCP",')) {
      if (!this.wifi || this.connection !== undefined) this.reply("open", ...error);
      else this.connect();
    } else if (command.startsWith("AT+CIPSEND=0,") && this.connection !== undefined) {
      this.payload = [];
      this.payloadLength = count;
      this.reply(
        "send",
        "\r\nOK\r\n",
        { point: "send: OK" },
        () => (this.state = "sendwait"),
        "\r\n>",
        { point: "send: prompt" },
      );
    } else if (command.startsWith("AT+CIPRECVDATA=0,") && this.passive && this.waiting.length > 0) {
      const data = this.waiting.splice(0, count);
      this.announced = false;
      const head = Buffer.from(`+CIPRECVDATA:${data.length},`);
      this.reply(
        "receive",
        Buffer.concat([head, Uint8Array.from(data)]),
        { point: "receive: data" },
        ...this.end("\r\nOK\r\n"),
      );
    } else if (command === "AT+CIPRECVLEN?") {
      const line = `+CIPRECVLEN:${this.waiting.length},0,0,0,0\r\n`;
      this.reply("poll", line, { point: "poll: length" }, ...this.end("\r\nOK\r\n"));
    } else if (command === "AT+CIPCLOSE=0" && this.connection !== undefined) {
      this.drop();
      this.reply("close", "0,CLOSED\r\n", { point: "close: closed" }, ...this.end("\r\nOK\r\n"));
    } else {
      this.reply("refused", ...error);
    }
  }

  private connect(): void {
    this.reply(
      "open",
      () => this.connections.push({ received: [], sent: 0, open: true }),
      "0,CONNECT\r\n",
      { point: "open: connect" },
      ...this.end("\r\nOK\r\n"),
    );
  }
}

/** Throws unless the bytes are the beginning of the counter stream. */
export function checkCounter(bytes: readonly number[], what: string): void {
  const wrong = bytes.findIndex((byte, place) => byte !== counterByte(place));
  if (wrong >= 0) throw new Error(`${what}: byte ${wrong} is ${String(bytes[wrong])}, not ${counterByte(wrong)}`);
}
