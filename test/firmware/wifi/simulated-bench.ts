/** The driver against the simulated module, over a line that takes its time, with a peer in memory. */
import { createEspAt } from "../../../firmware/wifi/esp-at";
import type { EspAt } from "../../../firmware/wifi/esp-at-state";
import type { WifiOptions } from "../../../firmware/wifi/module";
import type { Bytes } from "../../../hal/hal";
import { computerSystem, deadConsole } from "../../../hal/node/computer";
import { view } from "../../../hal/node/view";
import { AccessPoint } from "../../../sim/air";
import { SimClock, type Timer } from "../../../sim/clock";
import { SerialLine } from "../../../sim/line";
import { EspAtModule } from "../../../sim/module/esp-at";
import { atBaud, DEFAULT_PERSONALITY, type PersonalityName, PERSONALITIES } from "../../../sim/module/personalities";
import { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket } from "../../../sim/network/network";
import { Random } from "../../../sim/random";
import { checkCounter } from "./obedient-module";
import { counterStream, RecordingUser } from "./recording-user";

const TURN_MS = 0.1;

export interface SimulatedOptions {
  readonly seed: number;
  /** Which generation the module is of. Default: the newest. */
  readonly personality?: PersonalityName;
  readonly baud?: number;
  /** When the board begins, in ms; the module has power from the first. Default 20. */
  readonly startAfter?: number;
  /** Whether the reset pin does what the board thinks it does. Default true. */
  readonly resetConnected?: boolean;
  readonly resetLine?: boolean;
  /** The board's receive ring. Default 1024. */
  readonly receiveRing?: number;
  readonly driver?: Partial<WifiOptions>;
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
  readonly module: EspAtModule;
  readonly esp: EspAt;
  readonly user = new RecordingUser();
  readonly peers: PeerConnection[] = [];
  readonly commands: string[] = [];
  /** What the user received on each link. */
  readonly inboxes: number[][] = [];
  /** Bytes that the user has queued on the present link. */
  queued = 0;
  turns = 0;

  private readonly turnTime: number;
  private next: Timer | undefined;
  private turnedAt = 0;

  constructor(options: SimulatedOptions) {
    const { seed, baud = 115200, ssid = "home", password = "secret" } = options;
    this.random = new Random(seed);
    this.turnTime = options.turnTime ?? TURN_MS;
    this.air = new AccessPoint(this.clock, ssid, password);
    this.line = new SerialLine(this.clock, {
      hostBaud: baud,
      moduleBaud: baud,
      hostReceiveRing: options.receiveRing ?? 1024,
    });
    this.module = new EspAtModule({
      clock: this.clock,
      line: this.line.module,
      network: this.network,
      air: this.air,
      random: this.random.fork("module"),
      personality: atBaud(PERSONALITIES[options.personality ?? DEFAULT_PERSONALITY], baud),
      observer: { command: (line) => this.commands.push(line) },
    });
    this.network.listen("broker", 1883, (socket) => {
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
    });
    const entropy = this.random.fork("entropy");
    const { host } = this.line;
    const present = options.resetLine ?? true;
    this.esp = createEspAt(
      {
        clock: { now: () => this.now },
        serial: {
          read: (into: Bytes, at: number, room: number) => host.read(view(into), at, room),
          write: (from: Bytes, at: number, count: number) => host.write(view(from), at, count),
          lost: () => host.lost,
          setBaud: (rate: number) => host.setBaud(rate),
        },
        console: deadConsole,
        system: computerSystem(() => undefined),
        reset: {
          present,
          hold: (held: boolean) => {
            if (present && (options.resetConnected ?? true)) this.module.setReset(held);
          },
        },
        pins: { configure: () => false, write: () => undefined, read: () => false },
        analog: { read: () => -1 },
        entropy: { next: () => entropy.int(0x80000000) },
        storage: { load: () => 0, save: () => false },
        watchdog: { start: () => undefined, feed: () => undefined },
        idle: () => undefined,
      },
      { networks: [{ ssid, password }], baud, maxBaud: baud, window: 1024, maxSend: 2048, maxReceive: 512, pollEvery: 2000, security: undefined, ...options.driver },
    );
    this.user.attach(this.esp);
    this.user.onUp = () => {
      this.inboxes.push(this.user.inbox);
      this.queued = 0;
    };
    host.setPowered(true);
    this.module.powerOn();
    this.next = this.clock.after(options.startAfter ?? 20, () => {
      host.onWake(() => this.schedule(this.clock.now));
      this.turn();
    });
  }

  get now(): number {
    return Math.floor(this.clock.now) | 0;
  }

  get peer(): PeerConnection | undefined {
    return this.peers.at(-1);
  }

  turn(): void {
    this.turns++;
    const now = this.now;
    this.esp.receive(now);
    this.user.poll(now);
    this.esp.pump(now);
    const due = Math.floor(this.clock.now) + Math.min(this.esp.wait(now), this.user.wait(now));
    this.turnedAt = this.clock.now;
    this.schedule(due);
  }

  /** The next turn comes at `due`, and never sooner than a turn takes. */
  private schedule(due: number): void {
    this.next?.cancel();
    this.next = this.clock.at(Math.max(due, this.turnedAt + this.turnTime), () => this.turn());
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

  /**
   * Throws when a byte is out of place, in either direction, on any link there ever was. A module that crashes while it
   * hands data over leaves up to `noise` stray bytes, which nothing tells from data before the silence that follows and
   * takes the link down: these may be the last bytes of a link that is over.
   */
  check(noise = 0): void {
    this.peers.forEach((peer, i) => checkCounter(peer.received, `peer of connection ${i}`));
    const present = this.user.state === "up" ? this.inboxes.length - 1 : -1;
    this.inboxes.forEach((inbox, i) => {
      const tail = i === present ? 0 : noise;
      checkCounter(inbox.slice(0, inbox.length - tail), `user on link ${i}`);
    });
  }
}
