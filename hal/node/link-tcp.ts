import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type SecureContextOptions } from "node:tls";
import { type Link, LinkLoss, LinkState, type LinkUser, NOBODY, type Span } from "../../firmware/core/link";
import type { Bytes, Clock } from "../hal";
import { view } from "./view";

/**
 * How the peer is made sure of. There is no way to leave the check out, and none back to a stream without TLS: what
 * cannot be verified is not talked to.
 */
export interface TlsOptions extends Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase"> {
  /** The name that the peer's certificate must be for, and that it is asked for (SNI). Default: the host. */
  readonly servername?: string;
}

export interface TcpLinkOptions {
  readonly clock: Clock;
  /** `undefined`: plain TCP. With no `ca` in it, the authorities that Node knows are believed. */
  readonly tls?: TlsOptions | undefined;
  /** Something has come in, or went: the user's turn, which ends with {@link TcpLink.pump}. */
  readonly onTurn: () => void;
  /** Whether so much is under way that the peer waits for none of the user's answers in particular. Default: it may. */
  readonly isBusy?: () => boolean;
  /** How long it may take until the stream is up, handshake included, in ms. */
  readonly patience: number;
}

/** The most bytes handed to the socket at once. They are copied, so that the user may have its buffer back at once. */
const SEND_SIZE = 65536;
/** So many looks at the socket within a millisecond are a flood; and how long it is left alone then, in ms. */
const FLOOD = 4;
const REST = 2;
/** How long a peer may take to end its side of a stream that was closed here, in ms. */
const LINGER = 1000;

/** Where what is read from plain TCP lies for the length of a call: whoever keeps something of it copies it. */
const input = Buffer.allocUnsafeSlow(65536);

/**
 * A link over a TCP socket of this computer, with or without TLS.
 *
 * Back-pressure is TCP's own: while the user has no room, nothing is read from the socket; while the operating system
 * has no room, nothing is taken from the user.
 */
export class TcpLink implements Link {
  state = LinkState.Down;
  /** What the system said when the last stream could not be had, or broke. Forgotten when the next one is asked for. */
  problem: Error | undefined;

  private user = NOBODY;
  private socket: Socket | undefined;
  private patience: NodeJS.Timeout | undefined;
  /** What was read and had no room yet, from `heldAt` on. */
  private held: Uint8Array | undefined;
  private heldAt = 0;
  private paused = false;
  /** How often something came within the millisecond `readAt` while nothing was sent. */
  private reads = 0;
  private readAt = 0;
  private resting: NodeJS.Timeout | undefined;
  private readonly out = Buffer.allocUnsafeSlow(SEND_SIZE);
  /** The system has not taken all of it yet. */
  private sending = false;
  private feeding = false;
  private filling = false;
  private readonly span: Span = { bytes: this.out, at: 0, count: 0 };
  private readonly sent = (): void => this.written();

  constructor(private readonly options: TcpLinkOptions) {}

  attach(user: LinkUser): void {
    this.user = user;
  }

  open(host: string, port: number): void {
    if (this.state !== LinkState.Down) return;
    this.state = LinkState.Opening;
    this.problem = undefined;
    this.sending = false;
    this.held = undefined;
    this.paused = false;
    const { tls, patience } = this.options;
    const socket = tls === undefined ? this.plain(host, port) : this.secured(host, port, tls);
    this.socket = socket;
    socket.setNoDelay(true);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => this.up(socket));
    socket.on("error", (error: Error) => (this.problem ??= error));
    socket.once("close", () => this.down(socket));
    this.patience = setTimeout(() => socket.destroy(new Error(`no answer within ${patience} ms`)), patience);
  }

  private plain(host: string, port: number): Socket {
    return connectTcp({ host, port, onread: { buffer: input, callback: (count) => this.received(input, count) } });
  }

  private secured(host: string, port: number, tls: TlsOptions): Socket {
    const socket = connectTls(secure(host, port, tls));
    socket.on("data", (chunk: Buffer) => {
      if (!this.received(chunk, chunk.length)) socket.pause();
    });
    return socket;
  }

  close(): void {
    const socket = this.socket;
    if (socket === undefined || this.state === LinkState.Closing) return;
    const wasUp = this.state === LinkState.Up;
    this.state = LinkState.Closing;
    this.held = undefined;
    if (!wasUp) socket.destroy();
    else if (!this.filling) this.end(socket);
  }

  private end(socket: Socket): void {
    // What the peer still says is read over: closing a socket with unread bytes would cut off what was sent last.
    socket.resume();
    socket.end();
    clearTimeout(this.patience);
    this.patience = setTimeout(() => socket.destroy(), LINGER);
  }

  /** Cuts the stream off, with whatever was on its way. `linkDown(Closed)` follows. */
  cut(): void {
    if (this.socket === undefined) return;
    this.state = LinkState.Closing;
    this.socket.destroy();
  }

  /** Hands on what waits, and takes what was held back, as far as there is room. */
  pump(): void {
    if (this.held !== undefined) this.feed(this.held);
    const { user, socket } = this;
    while (this.state === LinkState.Up && !this.sending && socket !== undefined && user.waiting()) {
      // The last packet may be what ends the stream: it is closed behind it.
      this.filling = true;
      const count = this.fill(user.offer(SEND_SIZE));
      this.filling = false;
      if (count === 0) return;
      this.reads = 0;
      socket.write(this.out.subarray(0, count), this.sent);
      if (this.closing()) this.end(socket);
      // Most often the system takes all at once.
      this.sending = socket.writableLength > 0;
    }
  }

  /** In functions of their own, as the compiler does not know that the user may have closed the link. */
  private closing(): boolean {
    return this.state === LinkState.Closing;
  }

  private isUp(): boolean {
    return this.state === LinkState.Up;
  }

  /** Whether what is published now can be handed on at once. */
  get flowing(): boolean {
    return this.state === LinkState.Up && !this.sending && !this.feeding;
  }

  /** Copies a run into the buffer for the socket. Gives its length. */
  private fill(run: number): number {
    const { user, span, out } = this;
    const now = this.options.clock.now();
    let count = 0;
    while (count < run) {
      user.piece(span);
      out.set(piece(span.bytes, span.at, span.count), count);
      count += span.count;
      user.taken(now, span.count);
    }
    return count;
  }

  private written(): void {
    // Also said, a little later, of what was taken at once: by then more may be on its way.
    if (!this.sending || this.socket === undefined || this.socket.writableLength > 0) return;
    this.sending = false;
    this.options.onTurn();
  }

  private up(socket: Socket): void {
    if (socket !== this.socket || this.state !== LinkState.Opening) return;
    clearTimeout(this.patience);
    this.state = LinkState.Up;
    this.user.linkUp(this.options.clock.now());
    this.options.onTurn();
  }

  /** Hands on what has come. False when there is no room for all of it: then no more is to be read. */
  private received(bytes: Uint8Array, count: number): boolean {
    if (this.state !== LinkState.Up) return true;
    const now = this.options.clock.now();
    if (now !== this.readAt) this.reads = 0;
    this.readAt = now;
    this.reads++;
    const taken = this.hand(now, bytes, 0, count);
    if (taken < count && this.isUp()) this.held = Uint8Array.from(bytes.subarray(taken, count));
    this.heldAt = 0;
    this.options.onTurn();
    this.paused = this.held !== undefined;
    if (!this.paused && this.isUp() && (this.reads >= FLOOD || this.options.isBusy?.() === true)) this.rest();
    return !this.paused;
  }

  /**
   * In a flood, each look at the socket costs more than what it finds. After a moment there is a lot to find. A peer that
   * only speaks when it was answered is not in a flood: something was sent in between. But one that has much under way
   * is, though it is answered all the time.
   */
  private rest(): void {
    this.paused = true;
    this.resting = setTimeout(() => {
      this.resting = undefined;
      this.readOn();
    }, REST);
  }

  private readOn(): void {
    if (!this.paused || this.held !== undefined || this.resting !== undefined) return;
    this.paused = false;
    this.socket?.resume();
  }

  /** Gives the user what it has room for of the bytes from `at` to `end`. Gives where it has stopped. */
  private hand(now: number, bytes: Uint8Array, at: number, end: number): number {
    const { user } = this;
    let next = at;
    this.feeding = true;
    while (next < end && this.isUp()) {
      const count = Math.min(user.room(), end - next);
      if (count === 0) break;
      user.received(now, bytes, next, count);
      next += count;
    }
    this.feeding = false;
    return next;
  }

  /** What was held back comes first, before any more is read. */
  private feed(held: Uint8Array): void {
    if (this.feeding) return;
    this.heldAt = this.hand(this.options.clock.now(), held, this.heldAt, held.length);
    if (this.heldAt < held.length && this.isUp()) return;
    this.held = undefined;
    this.readOn();
  }

  private down(socket: Socket): void {
    if (socket !== this.socket) return;
    const loss = this.loss();
    clearTimeout(this.patience);
    clearTimeout(this.resting);
    this.resting = undefined;
    this.socket = undefined;
    this.held = undefined;
    this.state = LinkState.Down;
    this.user.linkDown(this.options.clock.now(), loss);
    this.options.onTurn();
  }

  private loss(): LinkLoss {
    if (this.state === LinkState.Closing) return LinkLoss.Closed;
    return this.state === LinkState.Opening ? LinkLoss.Unreachable : LinkLoss.Peer;
  }
}

function secure(host: string, port: number, tls: TlsOptions): ConnectionOptions {
  const name = tls.servername ?? host;
  return {
    ...tls,
    host,
    port,
    // An address cannot be asked for by name; the certificate is held against it all the same.
    servername: isIP(name) === 0 ? name : "",
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    // Said here, since the surroundings could say otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
}

function piece(bytes: Bytes, at: number, count: number): Uint8Array {
  return view(bytes).subarray(at, at + count);
}
