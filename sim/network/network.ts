/**
 * The network behind the simulated module: TCP client connections. `tcp.ts` makes them real, `memory.ts` keeps them
 * in this process and on the virtual clock.
 */
export interface Network {
  /**
   * Starts a connection to a host (a name or an address) and port (1 to 65535). Exactly one of
   * {@link SocketEvents.connected} and {@link SocketEvents.failed} follows, never before this returns; neither, if
   * nobody answers or the socket is destroyed first: timeouts are the caller's.
   */
  connect(host: string, port: number, events: SocketEvents): Socket;
  /** Looks a host name up. `done` gets its IPv4 address, or undefined; never before this returns. */
  resolve(host: string, done: (address: string | undefined) => void): void;
}

/** What happens to a socket. After `end` or `destroy` of one's own, or after `closed` or `failed`, nothing comes. */
export interface SocketEvents {
  connected(): void;
  /** Bytes came. They are the callee's. */
  data(chunk: Uint8Array): void;
  /** The peer has taken bytes: {@link Socket.bufferedBytes} went down. */
  drained(): void;
  /** The connection is over, by the peer's will or because it broke. Data that came before was delivered before. */
  closed(): void;
  /** The connection never came about. `reason` is for people. */
  failed(reason: string): void;
}

export interface Socket {
  /** The peer's IPv4 address once connected, before that the host as given. */
  readonly remoteAddress: string;
  /** Own port once connected, 0 before. */
  readonly localPort: number;
  /** Bytes written that are not known to have left for the peer. */
  readonly bufferedBytes: number;
  /** Sends bytes; they are copied. Nothing happens on a socket that is closed. */
  write(chunk: Uint8Array): void;
  /** Holds back `data` (and `closed`, if data is held), so that the peer's window fills up. */
  pause(): void;
  resume(): void;
  /** Has the peer probed after `seconds` of silence; if it is gone, `closed` follows a few seconds later. */
  keepAlive(seconds: number): void;
  /** Closes in good order, after what was written. */
  end(): void;
  /** Dies at once, as when the power is cut: the peer sees a reset. */
  destroy(): void;
}
