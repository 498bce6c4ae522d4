import { generate, parser, type IConnectPacket, type IPublishPacket, type Packet } from "mqtt-packet";
import type { Timer } from "../clock";
import type { ScriptedBroker } from "./broker";
import type { Message, Session } from "./broker-session";
import { ConnectReturn } from "./connect-return";
import type { Socket, SocketEvents } from "./network";
import { isFilter, isTopic } from "./topics";

/** The broker's side of one connection. */
export class Connection implements SocketEvents {
  connect: IConnectPacket | undefined;
  session: Session | undefined;

  private readonly parser = parser({ protocolVersion: 4 });
  private will: { readonly message: Message; readonly retain: boolean } | undefined;
  private lastHeard: number;
  private watch: Timer | undefined;
  private over = false;

  constructor(
    private readonly broker: ScriptedBroker,
    readonly socket: Socket,
  ) {
    this.lastHeard = broker.clock.now;
    this.parser.on("packet", (packet) => this.handle(packet));
    this.parser.on("error", (error: Error) => this.blame(`sent bytes that are no MQTT: ${error.message}`));
  }

  connected(): void {}
  drained(): void {}
  failed(): void {}

  data(chunk: Uint8Array): void {
    if (!this.over) {
      this.parser.parse(Buffer.from(chunk));
    }
  }

  closed(): void {
    this.finish(true);
  }

  /** The connection breaks; the client's will is published. */
  die(): void {
    this.socket.destroy();
    this.finish(true);
  }

  /** The broker itself dies: nobody is left to publish a will. */
  abandon(): void {
    this.socket.destroy();
    this.finish(false);
  }

  private finish(withWill: boolean): void {
    if (this.over) {
      return;
    }
    this.over = true;
    this.watch?.cancel();
    this.broker.release(this);
    if (withWill && this.will !== undefined) {
      this.broker.distribute(this.will.message, this.will.retain);
    }
  }

  /** The client broke the rules. */
  private blame(what: string): void {
    this.broker.faults.push(`${this.connect?.clientId ?? "a client before its CONNECT"} ${what}`);
    this.die();
  }

  private send(packet: Packet): void {
    if (!this.over && this.broker.pass("out", this.connect?.clientId ?? "", packet)) {
      this.socket.write(generate(packet));
    }
  }

  private handle(packet: Packet): void {
    if (this.over) {
      return;
    }
    this.lastHeard = this.broker.clock.now;
    const clientId = packet.cmd === "connect" ? packet.clientId : (this.connect?.clientId ?? "");
    if (!this.broker.pass("in", clientId, packet)) {
      return;
    }
    if (packet.cmd === "connect") {
      this.welcome(packet);
      return;
    }
    const { session } = this;
    if (session === undefined) {
      this.blame(`sent ${packet.cmd} before CONNECT`);
      return;
    }
    this.serve(packet, session);
  }

  private serve(packet: Packet, session: Session): void {
    switch (packet.cmd) {
      case "publish":
        this.takePublish(packet, session);
        return;
      case "puback":
        this.expect(session.acknowledge(packet.messageId ?? 0), packet);
        return;
      case "pubrec":
        this.expect(session.confirm(packet.messageId ?? 0), packet);
        this.send({ cmd: "pubrel", ...identified(packet) });
        return;
      case "pubcomp":
        this.expect(session.complete(packet.messageId ?? 0), packet);
        return;
      case "pubrel":
        session.release(packet.messageId ?? 0);
        this.send({ cmd: "pubcomp", ...identified(packet) });
        return;
      case "subscribe":
        this.subscribe(packet, session);
        return;
      case "unsubscribe":
        packet.unsubscriptions.forEach((filter) => session.subscriptions.delete(filter));
        this.send({ cmd: "unsuback", granted: [], ...identified(packet) });
        return;
      case "pingreq":
        this.send({ cmd: "pingresp" });
        return;
      case "disconnect":
        this.socket.end();
        this.finish(false);
        return;
      default:
        this.blame(`sent ${packet.cmd}, which is not a client's to send here`);
    }
  }

  private welcome(connect: IConnectPacket): void {
    if (this.connect !== undefined) {
      this.blame("sent a second CONNECT");
      return;
    }
    const returnCode = this.broker.judge(connect);
    if (returnCode !== ConnectReturn.Accepted) {
      this.send({ cmd: "connack", returnCode, sessionPresent: false });
      this.socket.end();
      this.finish(false);
      return;
    }
    const { session, present } = this.broker.takeOver(connect, this);
    this.connect = connect;
    this.session = session;
    this.will = willOf(connect);
    this.watchOver(connect.keepalive ?? 0);
    this.send({ cmd: "connack", returnCode, sessionPresent: present });
    session.resume((packet) => this.send(packet));
  }

  /** Notes it when the client has acknowledged what is not there. */
  private expect(known: boolean, { cmd, messageId }: Packet): void {
    if (!known) {
      const what = cmd === "puback" ? "acknowledged" : `said ${cmd} of`;
      this.broker.faults.push(`${this.connect?.clientId ?? ""} ${what} ${messageId}, which was not sent`);
    }
  }

  private takePublish(packet: IPublishPacket, session: Session): void {
    if (!isTopic(packet.topic)) {
      this.blame(`published to "${packet.topic}", which is no topic`);
      return;
    }
    const { topic, qos } = packet;
    if (qos !== 2 || session.take(packet.messageId ?? 0)) {
      this.broker.distribute({ topic, payload: Buffer.from(packet.payload), qos }, packet.retain);
    }
    if (qos !== 0) {
      this.send({ cmd: qos === 1 ? "puback" : "pubrec", ...identified(packet) });
    }
  }

  private subscribe(packet: Packet & { cmd: "subscribe" }, session: Session): void {
    const granted = packet.subscriptions.map(({ topic, qos }): 0 | 1 | 2 | 128 => (isFilter(topic) ? qos : 128));
    this.send({ cmd: "suback", granted, ...identified(packet) });
    for (const [i, { topic }] of packet.subscriptions.entries()) {
      const qos = granted[i];
      if (qos !== undefined && qos !== 128) {
        session.subscriptions.set(topic, qos);
        this.broker.deliverRetained(session, topic, qos);
      }
    }
  }

  /** A client that keeps silent for one and a half times its keep-alive is taken for dead. */
  private watchOver(keepAlive: number): void {
    if (keepAlive === 0) {
      return;
    }
    const limit = 1500 * keepAlive;
    const look = (): void => {
      if (this.broker.clock.now >= this.lastHeard + limit) {
        this.die();
      } else {
        this.watch = this.broker.clock.at(this.lastHeard + limit, look);
      }
    };
    look();
  }
}

function identified(packet: { messageId?: number }): { messageId?: number } {
  return packet.messageId === undefined ? {} : { messageId: packet.messageId };
}

function willOf({ will }: IConnectPacket): { message: Message; retain: boolean } | undefined {
  if (will === undefined) {
    return undefined;
  }
  const message: Message = { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos ?? 0 };
  return { message, retain: will.retain ?? false };
}
