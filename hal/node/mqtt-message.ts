import type { Message } from "../../firmware/mqtt/subscriptions";
import type { Qos } from "../../firmware/mqtt/packet";
import type { Properties } from "../../firmware/mqtt/five/properties";
import { readProperties, type ReceivedProperties } from "./mqtt-five";
import { view } from "./view";

/** A message that came in. It is the handler's own, to be kept as long as it likes. */
export class ReceivedMessage {
  constructor(
    readonly topic: string,
    readonly payload: Buffer,
    readonly qos: Qos,
    /** A copy that the broker had stored before the subscription. */
    readonly retain: boolean,
    /** The broker may have sent it before. */
    readonly dup: boolean,
    /** What it says of itself in MQTT 5.0. */
    readonly properties: ReceivedProperties | undefined,
  ) {}

  /** The payload, read as UTF-8. */
  get text(): string {
    return this.payload.toString();
  }
}

/** What is copied byte by byte. */
const FEW = 128;

export type Handler = (message: ReceivedMessage) => void;

/** Makes messages of a handler's own from those that the client lends. */
export class MessageReader {
  /** The last topic: most often the next message has the same. */
  private topic = "";
  private topicBytes = Buffer.alloc(0);

  /** `properties`: those of the message, in MQTT 5.0. */
  read(lent: Message, properties: Properties | undefined): ReceivedMessage {
    const bytes = view(lent.bytes);
    const { topicAt, topicLength, payloadAt, payloadLength } = lent;
    if (!startsAt(bytes, topicAt, topicLength, this.topicBytes)) {
      this.topicBytes = Buffer.from(bytes.subarray(topicAt, topicAt + topicLength));
      this.topic = this.topicBytes.toString();
    }
    const payload = copyOf(bytes, payloadAt, payloadLength);
    const said = properties === undefined ? undefined : readProperties(properties);
    return new ReceivedMessage(this.topic, payload, qosOf(lent.qos), lent.retain, lent.dup, said);
  }
}

/** For few bytes a view costs more than the loop. */
function copyOf(bytes: Uint8Array, at: number, count: number): Buffer {
  const own = Buffer.allocUnsafe(count);
  if (count > FEW) own.set(bytes.subarray(at, at + count));
  else for (let i = 0; i < count; i++) own[i] = bytes[at + i] ?? 0;
  return own;
}

function startsAt(bytes: Uint8Array, at: number, count: number, wanted: Uint8Array): boolean {
  if (count !== wanted.length) return false;
  for (let i = 0; i < count; i++) {
    if (bytes[at + i] !== wanted[i]) return false;
  }
  return true;
}

function qosOf(qos: number): Qos {
  if (qos === 2) return 2;
  return qos === 0 ? 0 : 1;
}
