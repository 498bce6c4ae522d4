import type { SimClock } from "../clock";
import { CertificateFlaw, describeFlaws, flawsOf, type TlsRequest } from "./certificates";
import { ConnectFailure, type Network, type Socket, type SocketEvents } from "./network";
import { paperClientKnown, paperFacts, type PaperServer } from "./paper-certificates";

/** Probes after the idle time that keep-alive sends before it gives up, one a second, as lwIP is set up. */
const KEEPALIVE_PROBES_MS = 3_000;
/** How long unacknowledged bytes are sent again before TCP gives up. */
const RETRANSMIT_LIMIT_MS = 30_000;
/** The beginning of a TLS record with a ClientHello: what a server that speaks no TLS gets to see. */
const CLIENT_HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03);

export interface MemoryNetworkOptions {
  /** Time of one way in ms. Default 2. */
  readonly latency?: number;
  /** What time it is when the clock is at 0, ms since 1970. Default: 1 July 2026, 9:00 UTC. */
  readonly epoch?: number;
}

/** Takes a connection that came in, and gives what shall happen on it. */
export type Accept = (socket: Socket) => SocketEvents;

/**
 * A network without sockets: hosts and ports in this process, every byte on the virtual clock, the same every time.
 */
export class MemoryNetwork implements Network {
  readonly latency: number;
  /** ms that a name server takes for its answer, on top of the way there and back. */
  nameDelay = 0;
  /** Whether the name server knows no name any more. */
  namesFail = false;
  /** Whether time servers keep silent. */
  timeSilent = false;

  private readonly epoch: number;
  private readonly listeners = new Map<string, Listener>();
  private readonly addresses = new Map<string, string>();
  private readonly connections = new Set<Connection>();
  private readonly held: (() => void)[] = [];
  private readonly silentHosts = new Set<string>();
  private parted = false;
  private nextPort = 49152;

  constructor(
    readonly clock: SimClock,
    options: MemoryNetworkOptions = {},
  ) {
    this.latency = options.latency ?? 2;
    this.epoch = options.epoch ?? Date.UTC(2026, 6, 1, 9);
  }

  /** What the time of day is here, ms since 1970. */
  get time(): number {
    return this.epoch + this.clock.now;
  }

  /**
   * Listens until the returned function is called, with TLS if `secure` says how. One listener a host and port; throws
   * if it is taken.
   */
  listen(host: string, port: number, accept: Accept, secure?: PaperServer): () => void {
    const key = `${this.addressOf(host)}:${port}`;
    if (this.listeners.has(key)) {
      throw new Error(`somebody listens on ${host}:${port} already`);
    }
    this.listeners.set(key, { accept, secure });
    return () => {
      this.listeners.delete(key);
    };
  }

  connect(host: string, port: number, events: SocketEvents, tls?: TlsRequest): Socket {
    const connection = new Connection(this, this.known(host) ?? host, this.nextPort);
    this.nextPort = this.nextPort === 65535 ? 49152 : this.nextPort + 1;
    connection.client.events = events;
    this.connections.add(connection);
    if (isAddress(host)) {
      this.knock(connection, host, port, tls);
    } else {
      this.clock.after(this.nameDelay, () => this.find(connection, host, port, tls));
    }
    return connection.client;
  }

  private find(connection: Connection, host: string, port: number, tls: TlsRequest | undefined): void {
    const address = this.namesFail ? undefined : this.known(host);
    if (address === undefined) {
      this.clock.after(this.latency, () => connection.client.fail("no such host", ConnectFailure.UnknownHost));
    } else {
      this.knock(connection, address, port, tls);
    }
  }

  private knock(connection: Connection, address: string, port: number, tls: TlsRequest | undefined): void {
    if (this.silentHosts.has(address)) {
      return;
    }
    const { client } = connection;
    this.carry(connection, () => {
      const listener = this.listeners.get(`${address}:${port}`);
      if (listener === undefined) {
        this.carry(connection, () => client.fail("connection refused", ConnectFailure.Refused));
        return;
      }
      const { secure } = listener;
      if (tls !== undefined && secure !== undefined) {
        this.carry(connection, () => this.shakeHands(connection, listener.accept, secure, tls));
        return;
      }
      if (tls !== undefined && client.events !== undefined) {
        client.events = new Misunderstood(client, client.events);
      }
      this.carry(connection, () => client.establish());
      this.admit(connection, secure === undefined ? listener.accept : (server) => new Deaf(server));
    });
  }

  /** The server's side of the connection comes about. */
  private admit({ client, server }: Connection, accept: Accept): void {
    if (!client.dead) {
      server.events = accept(server);
      server.establish();
    }
  }

  /** One way to the server and one back, in which both see who the other is. */
  private shakeHands(connection: Connection, accept: Accept, secure: PaperServer, tls: TlsRequest): void {
    const { client } = connection;
    const believed = tls.authority;
    const flaws = believed === undefined ? CertificateFlaw.None : flawsOf(paperFacts(secure, believed), tls);
    const known = secure.clients === undefined
      || (tls.identity !== undefined && paperClientKnown(tls.identity, secure.clients));
    this.carry(connection, () => {
      if (flaws === 0 && known) {
        this.admit(connection, accept);
      }
      this.carry(connection, () => {
        if (flaws !== 0) {
          client.fail(describeFlaws(flaws), ConnectFailure.Certificate, flaws);
        } else if (known) {
          client.establish();
        } else {
          client.fail("the server does not accept this client's certificate", ConnectFailure.Handshake);
        }
      });
    });
  }

  resolve(host: string, done: (address: string | undefined) => void): void {
    const delay = 2 * this.latency + (isAddress(host) ? 0 : this.nameDelay);
    this.clock.after(delay, () => done(this.namesFail && !isAddress(host) ? undefined : this.known(host)));
  }

  ping(host: string, done: (ms: number) => void): void {
    const asked = this.clock.now;
    this.resolve(host, (address) => {
      if (address !== undefined && !this.silentHosts.has(address) && !this.parted) {
        done(this.clock.now - asked);
      }
    });
  }

  askTime(_server: string, done: (time: number) => void): void {
    this.clock.after(2 * this.latency, () => {
      if (!this.timeSilent && !this.parted) {
        done(this.time);
      }
    });
  }

  /** Connections that are open or being opened. */
  get open(): number {
    return this.connections.size;
  }

  /** While parted, nothing gets through in either direction; all of it arrives, in order, once it is over. */
  partition(parted: boolean): void {
    this.parted = parted;
    if (!parted) {
      const released = this.held.splice(0);
      this.clock.after(this.latency, () => released.forEach((arrive) => arrive()));
    }
  }

  /** Has a host not answer connects at all, as behind a firewall, or answer again. What is open stays open. */
  silence(host: string, silent = true): void {
    if (silent) {
      this.silentHosts.add(this.addressOf(host));
    } else {
      this.silentHosts.delete(this.addressOf(host));
    }
  }

  /** Breaks every connection: both sides see it close. */
  killAll(): void {
    for (const connection of [...this.connections]) {
      connection.breakUp();
    }
  }

  /** Makes every connection half open: each side still believes in it, nothing gets through ever again. */
  vanishAll(): void {
    for (const connection of this.connections) {
      connection.vanish();
    }
  }

  /** Has something arrive after the latency, unless the connection is dead by then. For connections. */
  carry(connection: Connection, arrive: () => void): void {
    this.clock.after(this.latency, () => {
      if (connection.vanished) {
        return;
      }
      if (this.parted) {
        this.held.push(arrive);
      } else {
        arrive();
      }
    });
  }

  /** For connections that are over. */
  drop(connection: Connection): void {
    this.connections.delete(connection);
  }

  private known(host: string): string | undefined {
    return isAddress(host) ? host : this.addresses.get(host);
  }

  /** The address of a host, which gets one with its first mention. */
  private addressOf(host: string): string {
    const known = this.known(host);
    if (known !== undefined) {
      return known;
    }
    const address = `10.0.0.${this.addresses.size + 1}`;
    this.addresses.set(host, address);
    return address;
  }
}

interface Listener {
  readonly accept: Accept;
  readonly secure: PaperServer | undefined;
}

function isAddress(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** A server with TLS that is spoken to without, and has no answer to that but to hang up. */
class Deaf implements SocketEvents {
  constructor(private readonly socket: Socket) {}

  data(): void {
    this.socket.end();
  }

  connected(): void {}
  drained(): void {}
  closed(): void {}
  failed(): void {}
}

/** A client with TLS at a server without: it says its hello, and whatever comes back is not what it wanted. */
class Misunderstood implements SocketEvents {
  constructor(
    private readonly socket: Socket,
    private readonly client: SocketEvents,
  ) {}

  connected(): void {
    this.socket.write(CLIENT_HELLO);
  }

  data(): void {
    this.socket.destroy();
    this.closed();
  }

  closed(): void {
    this.client.failed("the server does not speak TLS", ConnectFailure.Handshake, CertificateFlaw.None);
  }

  drained(): void {}
  failed(): void {}
}

/** Two sockets and what lies between them. */
class Connection {
  readonly client: MemorySocket;
  readonly server: MemorySocket;
  /** Half open: bytes and acknowledgements disappear. */
  vanished = false;

  constructor(
    readonly network: MemoryNetwork,
    address: string,
    localPort: number,
  ) {
    this.client = new MemorySocket(this, address, localPort);
    this.server = new MemorySocket(this, "192.168.1.100", 0);
  }

  peerOf(socket: MemorySocket): MemorySocket {
    return socket === this.client ? this.server : this.client;
  }

  vanish(): void {
    this.vanished = true;
    this.client.peerVanished();
    this.server.peerVanished();
  }

  breakUp(): void {
    this.network.drop(this);
    this.network.clock.after(0, () => {
      this.client.close();
      this.server.close();
    });
  }
}

class MemorySocket implements Socket {
  events: SocketEvents | undefined;
  dead = false;
  bufferedBytes = 0;

  private established = false;
  private ended = false;
  private paused = false;
  private peerEnded = false;
  private keepAliveSeconds = 0;
  private readonly inbox: Uint8Array[] = [];

  constructor(
    private readonly connection: Connection,
    readonly remoteAddress: string,
    readonly localPort: number,
  ) {}

  establish(): void {
    if (!this.dead) {
      this.established = true;
      this.events?.connected();
    }
  }

  fail(reason: string, failure: ConnectFailure, flaws: number = CertificateFlaw.None): void {
    if (this.retire()) {
      this.events?.failed(reason, failure, flaws);
    }
  }

  write(chunk: Uint8Array): void {
    if (this.dead || this.ended || !this.established || chunk.length === 0) {
      return;
    }
    const copy = new Uint8Array(chunk);
    this.bufferedBytes += copy.length;
    if (this.connection.vanished) {
      this.giveUpAfter(RETRANSMIT_LIMIT_MS);
      return;
    }
    this.connection.network.carry(this.connection, () => this.connection.peerOf(this).arrive(copy));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (this.paused) {
      this.paused = false;
      this.connection.network.clock.after(0, () => this.deliver());
    }
  }

  keepAlive(seconds: number): void {
    this.keepAliveSeconds = seconds;
  }

  end(): void {
    if (this.dead || this.ended) {
      return;
    }
    this.ended = true;
    this.events = undefined;
    this.connection.network.carry(this.connection, () => {
      this.retire();
      this.connection.peerOf(this).peerHasEnded();
    });
  }

  destroy(): void {
    if (this.dead) {
      return;
    }
    this.retire();
    this.connection.network.carry(this.connection, () => this.connection.peerOf(this).close());
  }

  /** Data from the peer. */
  private arrive(chunk: Uint8Array): void {
    if (this.dead) {
      this.connection.network.carry(this.connection, () => this.connection.peerOf(this).close());
      return;
    }
    this.inbox.push(chunk);
    this.deliver();
  }

  private deliver(): void {
    while (!this.paused && !this.dead) {
      const chunk = this.inbox.shift();
      if (chunk === undefined) {
        break;
      }
      this.connection.peerOf(this).acknowledged(chunk.length);
      this.events?.data(chunk);
    }
    if (this.peerEnded && this.inbox.length === 0) {
      this.close();
    }
  }

  private acknowledged(count: number): void {
    this.bufferedBytes -= count;
    if (!this.dead && !this.ended) {
      this.events?.drained();
    }
  }

  private peerHasEnded(): void {
    this.peerEnded = true;
    this.deliver();
  }

  /** The other side is gone without a word: only what waits for it will ever find out. */
  peerVanished(): void {
    if (this.bufferedBytes > 0) {
      this.giveUpAfter(RETRANSMIT_LIMIT_MS);
    }
    if (this.keepAliveSeconds > 0) {
      this.giveUpAfter(1000 * this.keepAliveSeconds + KEEPALIVE_PROBES_MS);
    }
  }

  private giveUpAfter(ms: number): void {
    this.connection.network.clock.after(ms, () => this.close());
  }

  /** The connection is over, and this side is told. */
  close(): void {
    const events = this.events;
    if (this.retire()) {
      events?.closed();
    }
  }

  /** Gives whether the socket was alive until now. */
  private retire(): boolean {
    const wasAlive = !this.dead;
    this.dead = true;
    this.connection.network.drop(this.connection);
    return wasAlive;
  }
}
