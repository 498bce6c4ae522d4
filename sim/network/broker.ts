import type { IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import type { SimClock } from "../clock";
import { Connection } from "./broker-connection";
import { Session, type Message } from "./broker-session";
import { ConnectReturn } from "./connect-return";
import type { MemoryNetwork } from "./memory";
import type { Socket, SocketEvents } from "./network";
import type { PaperServer } from "./paper-certificates";
import { topicMatches } from "./topics";

export { ConnectReturn } from "./connect-return";

/** One packet that passed, as the log keeps it. */
export interface LoggedPacket {
  /** ms of simulated time. */
  readonly time: number;
  /** The client it came from or went to; empty before its CONNECT. */
  readonly clientId: string;
  readonly packet: Packet;
}

/** What the broker can be told to keep to itself. */
export type Mutable = "connack" | "puback" | "pubrec" | "pubrel" | "pubcomp" | "pingresp" | "suback" | "unsuback" | "publish";

export interface BrokerOptions {
  /** If given, a client must show both. */
  readonly user?: string;
  readonly password?: string;
  /** Called for every packet, both ways. Return false to make it disappear. */
  readonly onPacket?: (direction: "in" | "out", entry: LoggedPacket) => unknown;
}

/** A client that is connected. */
export interface ConnectedClient {
  readonly clientId: string;
  readonly connect: IConnectPacket;
}

/**
 * An MQTT 3.1.1 broker in memory that keeps to the rules, and breaks them on demand. What a client
 * must not do closes its connection, and {@link faults} says why.
 */
export class ScriptedBroker {
  /** Every packet that came in, oldest first. */
  readonly received: LoggedPacket[] = [];
  /** Every packet that went out, oldest first. */
  readonly sent: LoggedPacket[] = [];
  /** What clients did wrong, as sentences. An honest client leaves this empty. */
  readonly faults: string[] = [];

  private readonly connections = new Set<Connection>();
  private readonly sessions = new Map<string, Session>();
  private readonly retained = new Map<string, Message>();
  private readonly muted = new Set<Mutable>();
  private readonly places: (() => () => void)[] = [];
  private unlisten: (() => void)[] = [];
  private running = true;
  private refusal = ConnectReturn.Accepted;

  constructor(
    readonly clock: SimClock,
    readonly options: BrokerOptions = {},
  ) {}

  /** Listens on a port of a memory network, whenever it is started; with TLS, if `secure` says how. */
  listen(network: MemoryNetwork, host: string, port: number, secure?: PaperServer): void {
    const listen = (): (() => void) => network.listen(host, port, this.accept, secure);
    this.places.push(listen);
    if (this.running) {
      this.unlisten.push(listen());
    }
  }

  /** Takes a connection from anything that has sockets. */
  readonly accept = (socket: Socket): SocketEvents => {
    const connection = new Connection(this, socket);
    this.connections.add(connection);
    return connection;
  };

  /** The clients that are connected now. */
  get clients(): ConnectedClient[] {
    return [...this.connections].flatMap(({ connect }) =>
      connect === undefined ? [] : [{ clientId: connect.clientId, connect }]);
  }

  /** Dies: connections break, connects are refused, no will is published. */
  stop(): void {
    this.running = false;
    this.unlisten.splice(0).forEach((stop) => stop());
    for (const connection of [...this.connections]) {
      connection.abandon();
    }
  }

  /** Comes back. `keep` tells whether sessions and retained messages were on disk; default true. */
  start(options: { readonly keep?: boolean } = {}): void {
    if (options.keep === false) {
      this.sessions.clear();
      this.retained.clear();
    }
    if (!this.running) {
      this.running = true;
      this.unlisten = this.places.map((listen) => listen());
    }
  }

  /** Keeps packets of a kind to itself, or stops doing so. */
  mute(kind: Mutable, muted = true): void {
    if (muted) {
      this.muted.add(kind);
    } else {
      this.muted.delete(kind);
    }
  }

  /** Answers every CONNECT with this code from now on; 0 accepts again. */
  refuse(code: ConnectReturn): void {
    this.refusal = code;
  }

  /** Breaks the connection of a client, as a network would. Its will is published. */
  kick(clientId: string): void {
    this.connectionOf(clientId).die();
  }

  /** Sends a client bytes that need not be MQTT. */
  sendRaw(clientId: string, bytes: Uint8Array): void {
    this.connectionOf(clientId).socket.write(bytes);
  }

  /** Publishes a message of the test's own. */
  publish(topic: string, payload: string | Uint8Array, options: { qos?: 0 | 1 | 2; retain?: boolean } = {}): void {
    const message = { topic, payload: Buffer.from(payload), qos: options.qos ?? 0 };
    this.distribute(message, options.retain ?? false);
  }

  /** The retained message of a topic as text; undefined if there is none. */
  retainedText(topic: string): string | undefined {
    return this.retained.get(topic)?.payload.toString();
  }

  /** The publishes that came in on a topic, oldest first. */
  published(topic: string): IPublishPacket[] {
    return this.received.flatMap(({ packet }) => (packet.cmd === "publish" && packet.topic === topic ? [packet] : []));
  }

  /** Messages that a client has still to acknowledge. */
  pendingFor(clientId: string): number {
    return this.sessions.get(clientId)?.pending ?? 0;
  }

  // The rest is for the connections of this broker.

  /** Logs a packet and asks the script about it. False if it shall not be. */
  pass(direction: "in" | "out", clientId: string, packet: Packet): boolean {
    const entry = { time: this.clock.now, clientId, packet };
    const wanted = this.options.onPacket?.(direction, entry) !== false;
    if (direction === "in") {
      this.received.push(entry);
      return wanted;
    }
    const muted = [...this.muted].some((kind) => kind === packet.cmd);
    if (wanted && !muted) {
      this.sent.push(entry);
      return true;
    }
    return false;
  }

  /** What CONNACK shall say to a CONNECT. */
  judge(connect: IConnectPacket): ConnectReturn {
    const { user, password } = this.options;
    if (this.refusal !== ConnectReturn.Accepted) {
      return this.refusal;
    }
    if (`${connect.protocolId} ${connect.protocolVersion}` !== "MQTT 4" && connect.protocolId !== "MQIsdp") {
      return ConnectReturn.UnacceptableProtocol;
    }
    if (connect.clientId === "" && connect.clean !== true) {
      return ConnectReturn.IdentifierRejected;
    }
    const knows = (user === undefined || connect.username === user) &&
      (password === undefined || connect.password?.toString() === password);
    return knows ? ConnectReturn.Accepted : ConnectReturn.NotAuthorised;
  }

  /** Puts out an older connection of the same client, and gives the session to go on with. */
  takeOver(connect: IConnectPacket, by: Connection): { session: Session; present: boolean } {
    for (const other of [...this.connections]) {
      if (other !== by && other.connect?.clientId === connect.clientId) {
        other.die();
      }
    }
    const kept = connect.clean === true ? undefined : this.sessions.get(connect.clientId);
    const session = kept ?? new Session();
    this.sessions.set(connect.clientId, session);
    return { session, present: kept !== undefined };
  }

  /** A connection is over. */
  release(connection: Connection): void {
    this.connections.delete(connection);
    const { connect } = connection;
    connection.session?.suspend();
    if (connect?.clean === true && this.sessions.get(connect.clientId) === connection.session) {
      this.sessions.delete(connect.clientId);
    }
  }

  distribute(message: Message, retain: boolean): void {
    if (retain && message.payload.length === 0) {
      this.retained.delete(message.topic);
    } else if (retain) {
      this.retained.set(message.topic, message);
    }
    for (const session of this.sessions.values()) {
      const granted = session.granted(message.topic);
      if (granted !== undefined) {
        session.deliver({ ...message, qos: least(message.qos, granted) }, false);
      }
    }
  }

  /** Sends what is retained to somebody who has just subscribed. */
  deliverRetained(session: Session, filter: string, qos: 0 | 1 | 2): void {
    for (const message of this.retained.values()) {
      if (topicMatches(filter, message.topic)) {
        session.deliver({ ...message, qos: least(message.qos, qos) }, true);
      }
    }
  }

  private connectionOf(clientId: string): Connection {
    for (const connection of this.connections) {
      if (connection.connect?.clientId === clientId) {
        return connection;
      }
    }
    const known = this.clients.map((client) => client.clientId).join(", ");
    throw new Error(`no client "${clientId}" is connected; there are: ${known}`);
  }
}

function least(a: 0 | 1 | 2, b: 0 | 1 | 2): 0 | 1 | 2 {
  return a < b ? a : b;
}
