import type { Timer } from "../clock";
import type { ModuleObserver } from "../module/observer";
import type { TaskTimers } from "../module/task-timers";
import type { Network, Socket } from "../network/network";
import { LIMITS } from "./facts";

/** One of the module's sockets, by what the `P`, `R` and `S` commands set of it, with its connection. */
export class Transport {
  protocol = 0;
  localPort = 0;
  host = "0.0.0.0";
  port = 0;
  /** Seconds of silence before the peer is probed; 0: it is not. */
  keepAlive = 0;
  /** `R1` and `S1` in bytes, `R2` and `S2` in ms. */
  readSize: number = LIMITS.receive;
  readTime = 0;
  writeSize: number = LIMITS.send;
  writeTime = 0;

  /** The connection as the host was told: `P6=1` succeeded, and neither `P6=0` nor its end was. */
  open = false;
  /** The connection is over; what it brought may still be read. */
  private over = false;
  private socket: Socket | undefined;
  private inbox = Buffer.alloc(0);
  /** Bytes that were sent into a network that is gone. */
  private stranded = 0;
  /** Whoever waits for bytes, for room, or for the end. */
  private changed: () => void = () => undefined;

  constructor(
    readonly id: number,
    private readonly network: Network,
    private readonly timers: TaskTimers,
    private readonly observer: ModuleObserver,
  ) {}

  /** Connects. `done` is called once; a connect that nobody answers is over after `limit` ms. */
  connect(inReach: boolean, limit: number, done: (ok: boolean) => void): void {
    this.close();
    const { host, port } = this;
    let waiting = true;
    const finish = (ok: boolean, reason: string): void => {
      if (!waiting) return;
      waiting = false;
      giveUp.cancel();
      if (ok) {
        this.open = true;
        this.observer.linkOpened?.(this.id, host, port);
      } else {
        this.observer.linkRefused?.(this.id, host, port, reason);
        this.drop();
      }
      done(ok);
    };
    const giveUp = this.timers.after(limit, () => finish(false, "timed out"));
    if (!inReach) return;
    this.socket = this.network.connect(host, port, {
      connected: () => finish(true, ""),
      failed: (reason) => finish(false, reason),
      data: (chunk) => {
        this.observer.linkReceived?.(this.id, chunk);
        this.inbox = Buffer.concat([this.inbox, chunk]);
        if (this.inbox.length >= LIMITS.window) this.socket?.pause();
        this.changed();
      },
      drained: () => this.changed(),
      closed: () => this.end(),
    });
    if (this.keepAlive > 0) this.socket.keepAlive(this.keepAlive);
  }

  /**
   * Reads what is there: at once if it is as much as `R1` says, or the connection is over, else after `R2`. `done` gets
   * undefined when there is no connection, or none any more and nothing is left of it.
   */
  read(done: (bytes: Uint8Array | undefined) => void): void {
    this.waitUntil(() => this.inbox.length >= this.readSize || !this.open || this.over, this.readTime, () => {
      const most = Math.min(this.readSize, this.inbox.length);
      if (most === 0 && (!this.open || this.over)) {
        this.close();
        done(undefined);
        return;
      }
      const bytes = this.inbox.subarray(0, most);
      this.inbox = this.inbox.subarray(most);
      if (this.inbox.length < LIMITS.window) this.socket?.resume();
      done(bytes);
    });
  }

  /** Sends. `done` gets whether the stack has taken all of it within `S2`; 0 is as long as it takes. */
  write(bytes: Uint8Array, done: (ok: boolean) => void): void {
    if (!this.open || this.over) {
      done(false);
      return;
    }
    const room = (): boolean => (this.socket?.bufferedBytes ?? this.stranded) + bytes.length <= LIMITS.sendBuffer;
    this.waitUntil(() => room() || this.over, this.writeTime === 0 ? LIMITS.timeout : this.writeTime, () => {
      if (this.over || !room()) {
        done(false);
        return;
      }
      if (this.socket === undefined) this.stranded += bytes.length;
      else this.hand(this.socket, bytes);
      done(true);
    });
  }

  /** `P6=0`. */
  close(): void {
    if (this.connected) this.observer.linkClosed?.(this.id);
    this.socket?.end();
    this.socket = undefined;
    this.forget();
  }

  /** Power, reset: nobody says goodbye. */
  drop(): void {
    if (this.connected) this.observer.linkClosed?.(this.id);
    this.socket?.destroy();
    this.socket = undefined;
    this.forget();
  }

  /** The radio is silent: the connection breaks for its peer, the module does not know. */
  strand(): void {
    if (this.connected) this.observer.linkClosed?.(this.id);
    this.stranded = this.socket?.bufferedBytes ?? this.stranded;
    this.socket?.destroy();
    this.socket = undefined;
  }

  /** The connection is over, by the peer's will or because the network is known to be lost. */
  end(): void {
    if (this.connected) this.observer.linkClosed?.(this.id);
    this.socket = undefined;
    this.over = true;
    this.changed();
  }

  private get connected(): boolean {
    return this.socket !== undefined && this.open && !this.over;
  }

  private hand(socket: Socket, bytes: Uint8Array): void {
    socket.write(bytes);
    this.observer.linkSent?.(this.id, bytes);
  }

  private forget(): void {
    this.open = false;
    this.over = false;
    this.stranded = 0;
    this.inbox = Buffer.alloc(0);
  }

  /** Calls `then` once: when something holds, at the latest after `ms`. */
  private waitUntil(holds: () => boolean, ms: number, then: () => void): void {
    if (holds()) {
      then();
      return;
    }
    const finish = (): void => {
      this.changed = () => undefined;
      limit.cancel();
      then();
    };
    const limit: Timer = this.timers.after(ms, finish);
    this.changed = () => {
      if (holds()) finish();
    };
  }
}
