import type { Timer } from "../clock";
import type { Socket } from "../network/network";
import type { TaskTimers } from "./task-timers";

export const enum LinkState {
  Free,
  Connecting,
  Open,
  /** The connection is over; the host has not been told, because data is still unread or because printing waits. */
  Closed,
}

/**
 * One of the module's TCP links, seen from the stack: a socket, what it received and the host has not read, and what
 * is being sent.
 */
export class Link {
  state = LinkState.Free;
  kind: "TCP" | "SSL" = "TCP";
  host = "";
  port = 0;
  /** A passive link has been announced, and stays quiet until it is read. */
  announced = false;
  /** How often it has been started: tells one connection from the next. */
  starts = 0;
  /** The loss of the network has ended its connection, and nobody was told: the peer answers what is sent with a reset. */
  orphaned = false;

  private socket: Socket | undefined;
  /** Bytes for the peer while the radio is off the air, of a connection that outlives that. */
  private waiting: Uint8Array[] | undefined;
  /** Bytes in the send buffer of a link whose network is gone: they go nowhere. */
  private stranded = 0;
  private readonly inbox: Uint8Array[] = [];
  /** Bytes in {@link inbox}. What passes the window counts as still being at the peer's. */
  private received = 0;
  private outgoing: Uint8Array | undefined;
  private sendDone: (ok: boolean) => void = () => undefined;
  private sendLimit: Timer | undefined;

  constructor(
    readonly id: number,
    private readonly timers: TaskTimers,
    private readonly window: number,
    private readonly sendBuffer: number,
    /** Whether a send is done when the peer has acknowledged it, not when the stack has a copy. */
    private readonly awaitsAcknowledgement: boolean,
    private readonly onSent: (bytes: Uint8Array) => void,
    /** Bytes were sent on a connection that is none any more. */
    private readonly onSentToNobody: () => void,
  ) {}

  /** Whether it counts as open for the commands. */
  get open(): boolean {
    return this.state === LinkState.Open || this.state === LinkState.Closed;
  }

  /** Bytes received and not read. Never more than the window. */
  get unread(): number {
    return Math.min(this.received, this.window);
  }

  get remoteIp(): string {
    return this.socket?.remoteAddress ?? this.host;
  }

  get localPort(): number {
    return this.socket?.localPort ?? 0;
  }

  /** Whether a send waits for room in the stack. */
  get sending(): boolean {
    return this.outgoing !== undefined;
  }

  start(host: string, port: number, kind: "TCP" | "SSL" = "TCP"): void {
    this.state = LinkState.Connecting;
    this.starts += 1;
    this.aim(host, port, kind);
    this.announced = false;
    this.orphaned = false;
    this.stranded = 0;
    this.forgetReceived();
  }

  /** Says where to connect to, without connecting. */
  aim(host: string, port: number, kind: "TCP" | "SSL"): void {
    this.host = host;
    this.port = port;
    this.kind = kind;
  }

  attach(socket: Socket): void {
    this.socket = socket;
  }

  receive(chunk: Uint8Array): void {
    this.inbox.push(chunk);
    this.received += chunk.length;
    if (this.received >= this.window) {
      this.socket?.pause();
    }
  }

  /** Takes up to `most` received bytes. */
  read(most: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(most, this.unread));
    let filled = 0;
    while (filled < bytes.length) {
      const chunk = this.inbox.shift();
      if (chunk === undefined) {
        break;
      }
      const used = chunk.subarray(0, bytes.length - filled);
      bytes.set(used, filled);
      filled += used.length;
      if (used.length < chunk.length) {
        this.inbox.unshift(chunk.subarray(used.length));
      }
    }
    this.received -= filled;
    if (this.received < this.window) {
      this.socket?.resume();
    }
    return bytes;
  }

  /**
   * Copies bytes into the send buffer, waiting for room. `done` tells whether all of them got there; false after
   * `limit` ms (0: no limit) or when the connection ends meanwhile, and then nobody knows how many did.
   */
  send(bytes: Uint8Array, limit: number, done: (ok: boolean) => void): void {
    if (this.state !== LinkState.Open) {
      done(false);
      return;
    }
    this.outgoing = bytes;
    this.sendDone = done;
    this.pump();
    if (this.sending && limit > 0) {
      this.sendLimit = this.timers.after(limit, () => this.finishSend(false));
    }
  }

  /** Goes on with a send when the peer has taken bytes. */
  pump(): void {
    if (this.outgoing === undefined) {
      return;
    }
    const room = Math.max(this.sendBuffer - this.unacknowledged, 0);
    const now = this.outgoing.subarray(0, room);
    const rest = this.outgoing.subarray(now.length);
    this.outgoing = rest;
    if (now.length > 0) {
      this.hand(now);
    }
    if (rest.length === 0 && !(this.awaitsAcknowledgement && this.unacknowledged > 0)) {
      this.finishSend(true);
    }
  }

  /** Bytes in the send buffer that the peer has not acknowledged. */
  get unacknowledged(): number {
    const waiting = this.waiting?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    return waiting + (this.socket?.bufferedBytes ?? this.stranded);
  }

  /** Nothing gets through, but both ends keep the connection. */
  hold(): void {
    if (this.connected && this.waiting === undefined) {
      this.waiting = [];
      this.socket?.pause();
    }
  }

  /** Goes on after {@link hold}. */
  release(): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    waiting.forEach((bytes) => this.hand(bytes));
    if (this.received < this.window) {
      this.socket?.resume();
    }
  }

  private hand(bytes: Uint8Array): void {
    if (this.waiting !== undefined) {
      this.waiting.push(new Uint8Array(bytes));
      return;
    }
    if (this.socket === undefined) {
      this.stranded += bytes.length;
      this.onSentToNobody();
      return;
    }
    this.socket.write(bytes);
    this.onSent(bytes);
  }

  private finishSend(ok: boolean): void {
    this.outgoing = undefined;
    this.sendLimit?.cancel();
    const done = this.sendDone;
    this.sendDone = () => undefined;
    done(ok);
  }

  /** The network is gone: the connection dies at the peer's, the link itself does not know yet. */
  strand(): void {
    this.stranded = this.socket?.bufferedBytes ?? this.stranded;
    this.dropSocket();
  }

  /** Whether there is a connection behind the link. */
  get connected(): boolean {
    return this.socket !== undefined && this.state === LinkState.Open;
  }

  /** The connection is over. */
  closedByPeer(): void {
    this.state = LinkState.Closed;
    this.socket = undefined;
    this.waiting = undefined;
    if (this.sending) {
      this.finishSend(false);
    }
  }

  /** Ends the connection in good order; the link does not know yet. */
  endSocket(): void {
    this.socket?.end();
    this.socket = undefined;
  }

  /** Is free, but what came can still be read until it is used anew. */
  leaveData(): void {
    this.state = LinkState.Free;
    this.announced = true;
    if (this.sending) {
      this.finishSend(false);
    }
  }

  /** Closes in good order, and is free. */
  end(): void {
    this.socket?.end();
    this.free();
  }

  /** Dies without a word, and is free. */
  destroy(): void {
    this.dropSocket();
    this.free();
  }

  free(): void {
    this.state = LinkState.Free;
    this.socket = undefined;
    this.waiting = undefined;
    this.forgetReceived();
    this.announced = false;
    if (this.sending) {
      this.finishSend(false);
    }
  }

  private forgetReceived(): void {
    this.received = 0;
    this.inbox.length = 0;
  }

  private dropSocket(): void {
    this.waiting = undefined;
    this.socket?.destroy();
    this.socket = undefined;
  }
}
