/** Reads along on the board's TCP stream and tells what the MQTT packets on it say. */
import mqttPacket, { type Packet, type Parser } from "mqtt-packet";
import type { SimClock } from "../../sim/clock";
import { packetText } from "./packet-text";
import { printable, type Reporter } from "./report";

/** What the command needs to know of a session, besides what is shown. */
export interface SessionEvents {
  online(): void;
  /** The broker said no to a CONNECT. `reason`: in words. */
  refused(code: number, reason: string): void;
  /** The broker owes answers, or has given the last of them. */
  answersOwed(owed: boolean): void;
}

/** What the return codes of a CONNACK mean, in words. */
export const REFUSALS = new Map([
  [1, "the broker does not speak MQTT 3.1.1"],
  [2, "client identifier rejected"],
  [3, "broker unavailable"],
  [4, "bad user name or password"],
  [5, "not authorised"],
]);

export class MqttWatch {
  private up: Parser = mqttPacket.parser();
  private down: Parser = mqttPacket.parser();
  /** What was sent at QoS 1, by packet identifier: topic, and when. */
  private readonly owed = new Map<number, { readonly topic: string; readonly sentAt: number }>();

  constructor(
    private readonly clock: SimClock,
    private readonly reporter: Reporter,
    private readonly traced: boolean,
    private readonly events: SessionEvents,
  ) {}

  /** A new stream begins. */
  open(): void {
    this.up = this.listen((packet) => this.sent(packet));
    this.down = this.listen((packet) => this.received(packet));
    this.owed.clear();
  }

  fromBoard(bytes: Uint8Array): void {
    this.up.parse(Buffer.from(bytes));
  }

  toBoard(bytes: Uint8Array): void {
    this.down.parse(Buffer.from(bytes));
  }

  private listen(take: (packet: Packet) => void): Parser {
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", take);
    parser.on("error", (error: Error) => this.tell("mqtt", "malformed", `not MQTT: ${error.message}`));
    return parser;
  }

  private sent(packet: Packet): void {
    this.trace("to broker", packet);
    switch (packet.cmd) {
      case "connect":
        this.tell("mqtt", "connect", `CONNECT as ${packet.clientId}`, { clientId: packet.clientId });
        return;
      case "publish": {
        const { topic, qos, retain, dup, messageId } = packet;
        const payload = packet.payload.toString();
        if (messageId !== undefined) this.owed.set(messageId, { topic, sentAt: this.clock.now });
        if (qos > 0) this.events.answersOwed(true);
        const remarks = `${retain ? " retained" : ""}${dup ? " again" : ""}`;
        this.tell("send", "publish", `${topic} ${printable(payload)}${remarks}`, {
          name: topic, payload, qos, retain, dup, id: messageId,
        });
        return;
      }
      case "disconnect":
        this.tell("mqtt", "disconnect", "DISCONNECT");
        return;
      default:
        return;
    }
  }

  private received(packet: Packet): void {
    this.trace("to board", packet);
    switch (packet.cmd) {
      case "connack":
        this.connack(packet.returnCode ?? 0);
        return;
      case "puback":
        this.puback(packet.messageId ?? 0);
        return;
      case "suback":
        this.suback(packet.granted.map(Number));
        return;
      case "publish": {
        const { topic, qos, retain } = packet;
        const payload = packet.payload.toString();
        this.tell("receive", "message", `${printable(topic)} ${printable(payload)}${retain ? " retained" : ""}`, {
          name: topic, payload, qos, retain,
        });
        return;
      }
      default:
        return;
    }
  }

  private connack(code: number): void {
    if (code === 0) {
      this.tell("mqtt", "online", "online");
      this.events.online();
      return;
    }
    const reason = REFUSALS.get(code) ?? `return code ${code}`;
    this.tell("mqtt", "refused", `the broker refused: ${reason}`, { code, reason });
    this.events.refused(code, reason);
  }

  private suback(granted: readonly number[]): void {
    this.tell("mqtt", "subscribed", `subscribed, granted QoS ${granted.join(", ")}`, { granted });
  }

  private puback(id: number): void {
    const message = this.owed.get(id);
    if (message === undefined) return;
    this.owed.delete(id);
    if (this.owed.size === 0) this.events.answersOwed(false);
    const took = Math.round(this.clock.now - message.sentAt);
    this.tell("ack", "acknowledged", `${message.topic} acknowledged after ${took} ms`, {
      name: message.topic, id, milliseconds: took,
    });
  }

  private trace(direction: string, packet: Packet): void {
    if (!this.traced) return;
    const text = packetText(packet);
    this.tell("trace", "mqtt", `${direction}: ${text}`, { direction, packet: text });
  }

  private tell(...[topic, event, text, data]: Tail<Parameters<Reporter["event"]>>): void {
    this.reporter.event(this.clock.now, topic, event, text, data);
  }
}

type Tail<T extends unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;
