import type { SimClock } from "../clock";
import type { Network, Socket, SocketEvents } from "./network";

/** Probes after the idle time that keep-alive sends before it gives up, one a second, as lwIP is set up. */
const KEEPALIVE_PROBES_MS = 3_000;
/** How long unacknowledged bytes are sent again before TCP gives up. */
const RETRANSMIT_LIMIT_MS = 30_000;

export interface MemoryNetworkOptions {
  /** Time of one way in ms. Default 2. */
  readonly latency?: number;
}

/** Takes a connection that came in, and gives what shall happen on it. */
export type Accept = (socket: Socket) => SocketEvents;

/**
 * A network without sockets: hosts and ports in this process, every byte on the virtual clock, the same every time.
 */
export class MemoryNetwork implements Network {
  readonly latency: number;

  private readonly listeners = new Map<string, Accept>();
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
  }

  /** Listens until the returned function is called. One listener a host and port; throws if it is taken. */
  listen(host: string, port: number, accept: Accept): () => void {
    const key = `${host}:${port}`;
    if (this.listeners.has(key)) {
      throw new Error(`somebody listens on ${key} already`);
    }
    this.addressOf(host);
    this.listeners.set(key, accept);
    return () => {
      this.listeners.delete(key);
    };
  }

  connect(host: string, port: number, events: SocketEvents): Socket {
    const address = this.known(host);
    const connection = new Connection(this, address ?? host, this.nextPort);
    this.nextPort = this.nextPort === 65535 ? 49152 : this.nextPort + 1;
    const client = connection.client;
    client.events = events;
    this.connections.add(connection);
    if (address === undefined) {
      this.clock.after(this.latency, () => client.fail("no such host"));
      return client;
    }
    if (this.silentHosts.has(host)) {
      return client;
    }
    this.carry(connection, () => {
      const accept = this.listeners.get(`${host}:${port}`);
      this.carry(connection, () => {
        if (accept === undefined) {
          client.fail("connection refused");
        } else {
          client.establish();
        }
      });
      if (accept !== undefined && !client.dead) {
        connection.server.events = accept(connection.server);
        connection.server.establish();
      }
    });
    return client;
  }

  resolve(host: string, done: (address: string | undefined) => void): void {
    this.clock.after(2 * this.latency, () => done(this.known(host)));
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
      this.silentHosts.add(host);
    } else {
      this.silentHosts.delete(host);
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
    return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? host : this.addresses.get(host);
  }

  private addressOf(host: string): void {
    if (this.known(host) === undefined) {
      this.addresses.set(host, `10.0.0.${this.addresses.size + 1}`);
    }
  }
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

  fail(reason: string): void {
    if (this.retire()) {
      this.events?.failed(reason);
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
