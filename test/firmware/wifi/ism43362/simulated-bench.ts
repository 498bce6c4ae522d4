/** The ISM43362's driver against the simulated module, over a line that takes its time, with a peer in memory. */
import { createIsm43362 } from "../../../../firmware/wifi/ism43362/ism43362";
import { DEAF, type WifiModule, type WifiOptions } from "../../../../firmware/wifi/module";
import type { Bytes } from "../../../../hal/hal";
import { computerSystem, deadConsole } from "../../../../hal/node/computer";
import { view } from "../../../../hal/node/view";
import { AccessPoint } from "../../../../sim/air";
import { SimClock, type Timer } from "../../../../sim/clock";
import { SerialLine } from "../../../../sim/line";
import { ISM43362_RINGS, Ism43362Module } from "../../../../sim/module-ism43362/module";
import { MemoryNetwork } from "../../../../sim/network/memory";
import type { Socket } from "../../../../sim/network/network";
import { Random } from "../../../../sim/random";
import { checkCounter } from "../obedient-module";
import { counterStream, RecordingUser } from "../recording-user";

const TURN_MS = 0.1;

/** What is done to a byte on its way: it goes on as these. */
export type Meddle = (byte: number) => readonly number[];

export interface SimulatedOptions {
  readonly seed?: number;
  readonly baud?: number;
  readonly resetLine?: boolean;
  /** The board's receive ring. Default 1024. */
  readonly receiveRing?: number;
  /** Most bytes that the serial port hands over at a time; the next ones in the next turn. Default: all that it has. */
  readonly readAtMost?: number;
  readonly otherNetworks?: WifiOptions["networks"];
  readonly security?: WifiOptions["security"];
  /** How long the board's program does other things in a turn, in ms. Default 0.1. */
  readonly turnTime?: number;
  readonly ssid?: string;
  readonly password?: string;
}

/** One connection as the peer has it. */
export interface PeerConnection {
  readonly socket: Socket;
  readonly received: number[];
  sent: number;
  closed: boolean;
}

export class SimulatedBench {
  readonly clock = new SimClock();
  readonly random: Random;
  readonly air: AccessPoint;
  readonly line: SerialLine;
  readonly network = new MemoryNetwork(this.clock);
  readonly module: Ism43362Module;
  readonly wifi: WifiModule;
  readonly user = new RecordingUser();
  readonly peers: PeerConnection[] = [];
  readonly commands: string[] = [];
  /** What the user received on each link. */
  readonly inboxes: number[][] = [];
  /** Bytes that the user has queued on the present link. */
  queued = 0;
  /** What the application was told. */
  readonly told: string[] = [];
  /** What happens to bytes on the line; undefined: they arrive. */
  toHost: Meddle | undefined;
  toModule: Meddle | undefined;

  private readonly turnTime: number;
  private readonly readAtMost: number;
  /** What may still be read in this turn. */
  private readable = 0;
  private next: Timer | undefined;
  private turnedAt = 0;
  /** Bytes that {@link toHost} has made more of than there was room for. */
  private surplus: number[] = [];

  constructor(options: SimulatedOptions = {}) {
    const { seed = 1, baud = 115200, ssid = "home", password = "secret99" } = options;
    this.random = new Random(seed);
    this.turnTime = options.turnTime ?? TURN_MS;
    this.readAtMost = options.readAtMost ?? Infinity;
    this.air = new AccessPoint(this.clock, ssid, password);
    this.line = new SerialLine(this.clock, {
      hostBaud: baud,
      moduleBaud: baud,
      hostReceiveRing: options.receiveRing ?? 1024,
      ...ISM43362_RINGS,
    });
    this.module = new Ism43362Module({
      clock: this.clock,
      line: this.line.module,
      network: this.network,
      air: this.air,
      random: this.random.fork("module"),
      baud,
      observer: { command: (line) => this.commands.push(line) },
    });
    this.network.listen("broker", 1883, (socket) => this.accept(socket));
    const entropy = this.random.fork("entropy");
    const { host } = this.line;
    const present = options.resetLine ?? true;
    this.wifi = createIsm43362(
      {
        clock: { now: () => this.now },
        serial: {
          read: (into: Bytes, at: number, room: number) => this.read(view(into), at, room),
          write: (from: Bytes, at: number, count: number) => this.write(view(from), at, count),
          lost: () => host.lost,
          setBaud: (rate: number) => host.setBaud(rate),
        },
        console: deadConsole,
        system: computerSystem(() => undefined),
        reset: {
          present,
          hold: (held: boolean) => {
            if (present) this.module.setReset(held);
          },
        },
        pins: { configure: () => false, write: () => undefined, read: () => false },
        analog: { read: () => -1 },
        entropy: { next: () => entropy.int(0x80000000) },
        storage: { load: () => 0, save: () => false },
        watchdog: { start: () => undefined, feed: () => undefined },
        idle: () => undefined,
      },
      {
        networks: [{ ssid, password }, ...(options.otherNetworks ?? [])],
        baud,
        maxBaud: baud,
        window: 512,
        maxSend: 2048,
        maxReceive: 1024,
        pollEvery: 2000,
        security: options.security,
      },
      {
        ...DEAF,
        joined: (_now, name) => this.told.push(`joined ${name}`),
        joinFailed: (_now, name, reason) => this.told.push(`not joined ${name} ${reason}`),
        wifiLost: (_now, name) => this.told.push(`lost ${name}`),
      },
    );
    this.user.attach(this.wifi);
    this.user.onUp = () => {
      this.inboxes.push(this.user.inbox);
      this.queued = 0;
    };
    host.onWake(() => this.schedule(this.clock.now));
    host.setPowered(true);
    this.module.powerOn();
    this.next = this.clock.after(20, () => this.turn());
  }

  /** A bench whose link is up. */
  static linked(options: SimulatedOptions = {}): SimulatedBench {
    const bench = new SimulatedBench(options);
    bench.user.open("broker", 1883);
    if (!bench.until(() => bench.user.state === "up", 60_000)) throw new Error("the link did not come up");
    return bench;
  }

  get now(): number {
    return Math.floor(this.clock.now) | 0;
  }

  get peer(): PeerConnection | undefined {
    return this.peers.at(-1);
  }

  turn(): void {
    const now = this.now;
    this.readable = this.readAtMost;
    this.wifi.receive(now);
    this.user.poll(now);
    this.wifi.pump(now);
    const wait = Math.min(this.wifi.wait(now), this.user.wait(now));
    if (wait < 0) throw new Error(`the driver asks for a wait of ${wait} ms`);
    this.turnedAt = this.clock.now;
    const more = this.surplus.length > 0 || (this.readable === 0 && this.line.host.waiting > 0);
    this.schedule(more ? 0 : Math.floor(this.clock.now) + wait);
  }

  /** Lets time pass until something holds. Gives whether it came to that. */
  until(holds: () => boolean, ms: number): boolean {
    const end = this.clock.now + ms;
    while (!holds() && this.clock.now < end) this.clock.runFor(10);
    return holds();
  }

  /** The user sends the next bytes of its stream. */
  userSends(count: number): void {
    if (this.user.state !== "up") return;
    this.user.queue(counterStream(this.queued, count));
    this.queued += count;
    this.turn();
  }

  /** The peer sends the next bytes of its stream on the connection that is open. */
  peerSends(count: number): void {
    const peer = this.peer;
    if (peer === undefined || peer.closed) return;
    peer.socket.write(counterStream(peer.sent, count));
    peer.sent += count;
  }

  /** Throws when a byte is out of place, in either direction, on any link there ever was. */
  check(): void {
    this.peers.forEach((peer, i) => checkCounter(peer.received, `peer of connection ${i}`));
    this.inboxes.forEach((inbox, i) => checkCounter(inbox, `user on link ${i}`));
  }

  private accept(socket: Socket): ReturnType<Parameters<MemoryNetwork["listen"]>[2]> {
    const peer: PeerConnection = { socket, received: [], sent: 0, closed: false };
    this.peers.push(peer);
    return {
      connected() {},
      drained() {},
      failed() {},
      data: (chunk) => peer.received.push(...chunk),
      closed: () => {
        peer.closed = true;
      },
    };
  }

  /** The next turn comes at `due`, and never sooner than a turn takes. */
  private schedule(due: number): void {
    this.next?.cancel();
    this.next = this.clock.at(Math.max(due, this.turnedAt + this.turnTime), () => this.turn());
  }

  private read(into: Uint8Array, at: number, room: number): number {
    if (room < 1) throw new Error("the driver reads without room");
    const { toHost } = this;
    if (toHost === undefined && this.surplus.length === 0) {
      const read = this.line.host.read(into, at, Math.min(room, this.readable));
      this.readable -= read;
      return read;
    }
    const came = new Uint8Array(room);
    const count = this.line.host.read(came, 0, room);
    this.surplus.push(...[...came.subarray(0, count)].flatMap((byte) => this.toHost?.(byte) ?? [byte]));
    const piece = this.surplus.splice(0, room);
    into.set(piece, at);
    return piece.length;
  }

  private write(from: Uint8Array, at: number, count: number): number {
    const { toModule } = this;
    if (toModule === undefined) return this.line.host.write(from, at, count);
    // What is meddled with may stop in the middle.
    for (const byte of from.subarray(at, at + count)) this.line.host.write(Uint8Array.from(this.toModule?.(byte) ?? [byte]));
    return count;
  }
}
