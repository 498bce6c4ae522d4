import { type Client, ClientState, PublishError } from "../../firmware/mqtt/client-state";
import { type FiveState, Unsent } from "../../firmware/mqtt/five/state";
import { outboxFits } from "../../firmware/mqtt/outbox";
import { lengthBytes, type Qos } from "../../firmware/mqtt/packet";
import { createPublication, type Publication } from "../../firmware/mqtt/publication";
import { publishBytes } from "../../firmware/mqtt/publish";
import { isTopicName } from "../../firmware/mqtt/topic";
import { MqttError, unsentError } from "./mqtt-error";
import { extrasOf, publicationOfOne, type PublishProperties } from "./mqtt-five";
import type { Flows } from "./mqtt-flows";
import type { Turns } from "./mqtt-turns";

export interface PublishOptions {
  /** Default: 0. */
  readonly qos?: Qos;
  /** The broker keeps it, for those who subscribe later. Default: false. */
  readonly retain?: boolean;
  /** What the message says of itself, in MQTT 5.0. Its expiry counts from when it has room in the outbox. */
  readonly properties?: PublishProperties;
}

type Resolve = () => void;
type Reject = (error: MqttError) => void;

/** A publish that waits: for room in the outbox, or for others at QoS 2. */
interface Backlog {
  readonly publication: Publication;
  readonly payload: Uint8Array;
  readonly resolve: Resolve;
  readonly reject: Reject;
}

/** The longest topic, and the longest payload of one. */
const LONGEST = 65535;
/** How many topics are kept encoded. When more are published to, it begins anew. */
const TOPICS_KEPT = 1000;

/** Puts messages into the outbox, in their order, as soon as each has room there. */
export class Publisher {
  private backlog: Backlog[] = [];
  private readonly topics = new Map<string, (Publication | undefined)[]>();
  /** Where a text is encoded. */
  private readonly scratch = Buffer.allocUnsafeSlow(LONGEST);

  /** `exactlyOnceInFlight`: the most messages at QoS 2 that are in the outbox or under way at once. */
  constructor(
    private readonly core: Client,
    private readonly five: FiveState | undefined,
    private readonly flows: Flows,
    private readonly turns: Turns,
    private readonly exactlyOnceInFlight: number,
  ) {}

  publish(topic: string, payload: string | Uint8Array, options: PublishOptions | undefined, resolve: Resolve, reject: Reject): void {
    const topical = this.publicationOf(topic, options?.qos ?? 0, options?.retain ?? false);
    const isText = typeof payload === "string";
    const length = isText ? this.encode(payload) : payload.length;
    const bytes = isText ? this.scratch : payload;
    const publication = this.forMessage(topical, length, options?.properties);
    if (publication instanceof MqttError) {
      reject(publication);
      return;
    }
    const refusal = this.refusalOf(publication, length);
    if (refusal !== undefined) {
      reject(new MqttError("invalid", `this message to ${topic} can never be sent: it is ${refusal}`));
    } else if (publication.qos === 0 && this.core.state !== ClientState.Online) {
      reject(new MqttError("offline", "there is no session, and QoS 0 is not kept for the next one"));
    } else if (this.backlog.length > 0 || !this.offer(publication, bytes, length, resolve, reject)) {
      this.backlog.push({ publication, payload: Buffer.from(bytes.subarray(0, length)), resolve, reject });
    }
  }

  /** What waits goes into the outbox, as far as there is room. */
  refill(): void {
    if (this.backlog.length === 0) return;
    let done = 0;
    for (const { publication, payload, resolve, reject } of this.backlog) {
      if (!this.offer(publication, payload, payload.length, resolve, reject)) break;
      done++;
    }
    this.backlog.splice(0, done);
  }

  /** The session is gone, and with it what was for it alone: QoS 0. */
  linkLost(why: MqttError): void {
    this.flows.linkLost(why);
    if (this.backlog.length === 0) return;
    const kept = this.backlog.filter(({ publication }) => publication.qos > 0);
    for (const { publication, reject } of this.backlog) if (publication.qos === 0) reject(why);
    this.backlog = kept;
  }

  /** Nothing more is published. */
  over(why: MqttError): void {
    this.flows.over(why);
    for (const { reject } of this.backlog.splice(0)) reject(why);
  }

  /** Puts the first `length` bytes into the outbox. False when they have to wait. */
  private offer(publication: Publication, payload: Uint8Array, length: number, resolve: Resolve, reject: Reject): boolean {
    const { core, flows } = this;
    if (publication.qos === 2 && flows.exactlyOnce >= this.exactlyOnceInFlight) return false;
    const remaining = this.bodySize(publication, length);
    const size = 1 + lengthBytes(remaining) + remaining;
    if (!outboxFits(core.outbox, size) && !(this.turns.makeRoom() && outboxFits(core.outbox, size))) return false;
    if (!publishBytes(core, publication, payload, 0, length)) {
      const refusal = this.refusalByBroker();
      if (refusal !== undefined) reject(refusal);
      return refusal !== undefined;
    }
    flows.add(publication.qos, resolve, reject);
    this.turns.wake();
    return true;
  }

  /** Writes a text into the scratch buffer, if it fits there. Gives how many bytes it takes. */
  private encode(text: string): number {
    const length = text.length * 3 > LONGEST ? Buffer.byteLength(text) : 0;
    return length > LONGEST ? length : this.scratch.write(text);
  }

  /** Why a message with a payload of `length` bytes can never be sent. */
  private refusalOf(publication: Publication, length: number): string | undefined {
    if (length > LONGEST) return `longer than ${LONGEST} bytes`;
    const size = 1 + 3 + this.bodySize(publication, length);
    const { outboxSize } = this.core.options;
    return size > outboxSize ? `${size} bytes, and the outbox has ${outboxSize}` : undefined;
  }

  /** What comes behind the fixed header of a PUBLISH with a payload of `length` bytes. */
  private bodySize({ head, extras }: Publication, length: number): number {
    if (this.five === undefined) return head.length + length;
    const size = extras?.size ?? 0;
    return head.length + lengthBytes(size) + size + length;
  }

  /** Why the broker of this session would not take the message that was refused last; `undefined` if it is not for that. */
  private refusalByBroker(): MqttError | undefined {
    switch (this.core.publishError) {
      case PublishError.PacketTooLarge:
        return unsentError(Unsent.TooLarge);
      case PublishError.QosTooHigh:
        return unsentError(Unsent.Qos);
      case PublishError.RetainRefused:
        return unsentError(Unsent.Retain);
      default:
        return undefined;
    }
  }

  /** What one message is published with. */
  private forMessage(
    publication: Publication | MqttError,
    length: number,
    properties: PublishProperties | undefined,
  ): Publication | MqttError {
    if (publication instanceof MqttError) return publication;
    if (this.five === undefined) return properties === undefined ? publication : new MqttError("invalid", "properties are for protocol 5");
    const extras = properties === undefined ? undefined : extrasOf(properties);
    if (typeof extras === "string") return new MqttError("invalid", extras);
    return publicationOfOne(publication, length, extras);
  }

  private publicationOf(topic: string, qos: Qos, retain: boolean): Publication | MqttError {
    const kind = qos * 2 + (retain ? 1 : 0);
    const known = this.topics.get(topic);
    const publication = known?.[kind];
    if (publication !== undefined) return publication;
    const bytes = Buffer.from(topic);
    if (bytes.length > LONGEST || !isTopicName(bytes, 0, bytes.length)) {
      return new MqttError("invalid", `${JSON.stringify(topic)} is no topic name that can be published to`);
    }
    if (this.topics.size >= TOPICS_KEPT) this.topics.clear();
    const kinds = known ?? [];
    const made = createPublication(topic, qos, retain, LONGEST);
    kinds[kind] = made;
    this.topics.set(topic, kinds);
    return made;
  }
}
