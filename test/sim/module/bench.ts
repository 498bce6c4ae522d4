import { AccessPoint } from "../../../sim/air";
import { SimClock } from "../../../sim/clock";
import { SerialLine } from "../../../sim/line";
import { EspAtModule, moduleRings } from "../../../sim/module/esp-at";
import type { ModuleObserver } from "../../../sim/module/observer";
import { DEFAULT_PERSONALITY, PERSONALITIES, type PersonalityName } from "../../../sim/module/personalities";
import { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket } from "../../../sim/network/network";
import type { PaperServer } from "../../../sim/network/paper-certificates";
import { Random } from "../../../sim/random";

/** A module on a table, with a host that is a test, and a peer that listens on peer:7. */
export class Bench {
  readonly clock = new SimClock();
  readonly line: SerialLine;
  readonly network = new MemoryNetwork(this.clock);
  readonly air = new AccessPoint(this.clock, "moth", "12345678");
  readonly module: EspAtModule;
  /** The peer's side of the connections that came in, and what came on them. */
  readonly peers: { readonly socket: Socket; text: string; closed: boolean }[] = [];
  /** What the module said since the last {@link take}. */
  heard = "";

  constructor(seed = 1, observer: ModuleObserver = {}, readonly name: PersonalityName = DEFAULT_PERSONALITY) {
    const personality = PERSONALITIES[name];
    this.line = new SerialLine(this.clock, { hostReceiveRing: 65536, ...moduleRings(personality) });
    this.module = new EspAtModule({
      clock: this.clock,
      line: this.line.module,
      network: this.network,
      air: this.air,
      random: new Random(seed),
      personality,
      observer,
    });
    this.line.host.onWake(() => this.listen());
    this.serve("peer", 7);
  }

  /** Has somebody listen, with TLS if a certificate says how. What comes is in {@link peers}. */
  serve(host: string, port: number, secure?: PaperServer): () => void {
    return this.network.listen(host, port, (socket) => {
      const peer = { socket, text: "", closed: false };
      this.peers.push(peer);
      return {
        connected() {},
        drained() {},
        failed() {},
        data: (chunk) => {
          peer.text += Buffer.from(chunk).toString("latin1");
        },
        closed: () => {
          peer.closed = true;
        },
      };
    }, secure);
  }

  /** Booted, with echo off. */
  static ready(seed = 1, observer: ModuleObserver = {}, name: PersonalityName = DEFAULT_PERSONALITY): Bench {
    const bench = new Bench(seed, observer, name);
    bench.module.powerOn();
    bench.clock.runFor(500);
    bench.ask("ATE0");
    bench.take();
    return bench;
  }

  /** In the network, with several links in passive mode if asked for. */
  static joined(options: { multiple?: boolean; passive?: boolean; name?: PersonalityName; seed?: number } = {}): Bench {
    const bench = Bench.ready(options.seed, {}, options.name);
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 5_000);
    if (options.multiple === true) {
      bench.ask("AT+CIPMUX=1");
    }
    if (options.passive === true) {
      bench.ask("AT+CIPRECVMODE=1");
    }
    return bench;
  }

  /** Writes bytes, one character a byte. */
  write(text: string): void {
    this.line.host.write(Buffer.from(text, "latin1"));
  }

  /** Writes a command, waits, and gives what was said meanwhile. */
  ask(command: string, ms = 60): string {
    this.take();
    this.write(`${command}\r\n`);
    return this.wait(ms);
  }

  /** Lets time pass, and gives what was said. */
  wait(ms: number): string {
    this.clock.runFor(ms);
    return this.take();
  }

  take(): string {
    this.listen();
    const heard = this.heard;
    this.heard = "";
    return heard;
  }

  /** The peer's side of the last connection. */
  get peer(): { readonly socket: Socket; text: string; closed: boolean } {
    const peer = this.peers.at(-1);
    if (peer === undefined) {
      throw new Error("nobody has connected");
    }
    return peer;
  }

  private listen(): void {
    const bytes = new Uint8Array(4096);
    for (let count = this.line.host.read(bytes); count > 0; count = this.line.host.read(bytes)) {
      this.heard += Buffer.from(bytes.subarray(0, count)).toString("latin1");
    }
  }
}
