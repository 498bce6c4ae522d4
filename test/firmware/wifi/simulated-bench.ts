/** The driver against the simulated module, with a user that keeps a record and a peer in memory. */
import type { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket } from "../../../sim/network/network";
import { checkCounter } from "./obedient-module";
import { counterStream, RecordingUser } from "./recording-user";
import { SimulatedBoard, type SimulatedOptions } from "./simulated-board";

export type { Meddle, SimulatedOptions } from "./simulated-board";

/** One connection as the peer has it. */
export interface PeerConnection {
  readonly socket: Socket;
  readonly received: number[];
  sent: number;
  closed: boolean;
}

export class SimulatedBench extends SimulatedBoard {
  readonly user = new RecordingUser();
  readonly peers: PeerConnection[] = [];
  /** What the user received on each link. */
  readonly inboxes: number[][] = [];
  /** Bytes that the user has queued on the present link. */
  queued = 0;

  protected readonly holder = this.user;

  constructor(options: SimulatedOptions = {}) {
    super(options);
    this.network.listen("broker", 1883, (socket) => this.accept(socket));
    this.user.attach(this.wifi);
    this.user.onUp = () => {
      this.inboxes.push(this.user.inbox);
      this.queued = 0;
    };
  }

  /** A bench whose link is up. */
  static linked(options: SimulatedOptions = {}): SimulatedBench {
    const bench = new SimulatedBench(options);
    bench.user.open("broker", 1883);
    if (!bench.until(() => bench.user.state === "up", 60_000)) throw new Error("the link did not come up");
    return bench;
  }

  get peer(): PeerConnection | undefined {
    return this.peers.at(-1);
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

  /** Somebody has connected. */
  accept(socket: Socket): ReturnType<Parameters<MemoryNetwork["listen"]>[2]> {
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
}
