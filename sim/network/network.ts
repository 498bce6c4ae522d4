import type { TlsRequest } from "./certificates";

/**
 * The network behind the simulated module: TCP and TLS client connections, names, echoes, the time of day. `tcp.ts`
 * makes the connections real, `memory.ts` keeps them in this process and on the virtual clock.
 */
export interface Network {
  /**
   * Starts a connection to a host (a name or an address) and port (1 to 65535), with TLS on it if `tls` is given.
   * Exactly one of {@link SocketEvents.connected} and {@link SocketEvents.failed} follows, never before this returns;
   * neither, if nobody answers or the socket is destroyed first: timeouts are the caller's.
   */
  connect(host: string, port: number, events: SocketEvents, tls?: TlsRequest): Socket;
  /** Looks a host name up. `done` gets its IPv4 address, or undefined; never before this returns. */
  resolve(host: string, done: (address: string | undefined) => void): void;
  /** Has a host (a name or an address) answer. `done` gets how long that took in ms; it is not called if none comes. */
  ping(host: string, done: (ms: number) => void): void;
  /** Asks a time server. `done` gets the time in ms since 1970; it is not called if no answer comes. */
  askTime(server: string, done: (time: number) => void): void;
}

/** Why a connection did not come about. */
export const enum ConnectFailure {
  UnknownHost,
  /** The host is there, and refuses. */
  Refused,
  /** It cannot be reached, or gave up. */
  Unreachable,
  /** TLS could not be agreed on: the server refused this client, or does not speak it. */
  Handshake,
  /** The server's certificate was not accepted. */
  Certificate,
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
  /**
   * The connection never came about. `reason` is for people; `flaws` tells what is wrong with the certificate, if it
   * is that: bits of {@link CertificateFlaw}.
   */
  failed(reason: string, failure: ConnectFailure, flaws: number): void;
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
