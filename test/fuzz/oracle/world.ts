/** What the oracle bears in mind while it reads a stream, and what it says in the end. */
import { filtersOf, OWN_TOPIC, type Prelude, SENDING, SUBSCRIBE_ID } from "../preludes";

/** What becomes of the link. */
export type End =
  | "open"
  /** The broker has not accepted us, or has said DISCONNECT. */
  | "refused"
  | "dismissed"
  /** It has broken the protocol. */
  | "violation"
  /** It has sent more at QoS 2 than there is room for: when all is answered that is, the link is closed. */
  | "full"
  /** The application does not believe that it is who it should be. */
  | "not authentic";

/** Something that is wrong with a packet: what, and in MQTT 5.0 the reason code for it. */
export interface Wrong {
  readonly code: number;
  readonly why: string;
}

export const MALFORMED = 0x81;
export const PROTOCOL_ERROR = 0x82;

/** Counters, under the names that the client has for them. */
export interface Counts {
  received: number;
  oversize: number;
  unmatched: number;
  acknowledged: number;
  subscriptionsRefused: number;
  duplicates: number;
  overruns: number;
  discarded: number;
  rejected: number;
}

export interface Verdict {
  readonly end: End;
  /** Which packet of the stream ended it, from 0, and what was wrong. */
  readonly because: string;
  /** In MQTT 5.0: the reason codes with which the client may say so. */
  readonly codes: readonly number[];
  /** What handlers are given: the filter, the flags, the topic, the payload and the properties, in hex. */
  readonly messages: readonly string[];
  /** What the application is told besides. */
  readonly told: readonly string[];
  /** The packets that the client says, in order and in hex: those that answer, then those of our own. */
  readonly answers: readonly string[];
  readonly own: readonly string[];
  readonly counts: Readonly<Counts>;
  /** The filters that are still to be asked for. */
  readonly wanted: readonly string[];
  /** The largest packet that the broker takes, and whether it knows wildcards. */
  readonly largest: number;
  readonly wildcards: boolean;
}

export const enum Sub {
  Wanted,
  Asked,
  Granted,
  Refused,
  Leaving,
  Off,
}

/** A message of ours that was not sent on this link. */
export interface Held {
  readonly id: number;
  readonly qos: number;
  dup: boolean;
}

/** What a broker has said of itself in its CONNACK, if it has. */
export interface Grants {
  receiveMaximum: number;
  maximumQos: number;
  largest: number;
  wildcards: boolean;
}

export interface World {
  readonly prelude: Prelude;
  online: boolean;
  proving: boolean;
  readonly subs: Sub[];
  subscribeId: number;
  unsubscribeId: number;
  /** Our messages that wait for PUBACK or PUBREC on this link, with their QoS. */
  readonly owed: Map<number, number>;
  held: Held[];
  /** Those that wait for PUBCOMP; and the broker's that wait for PUBREL. */
  releases: number[];
  received: number[];
  /** The session is known to be the one in which those were received, which MQTT 3.1 does not tell. */
  certain: boolean;
  /** More of those have come than there is room for. */
  overrun: boolean;
  readonly aliases: Map<number, Uint8Array>;
  readonly grants: Grants;

  /** What is wrong with the packet that is being read. */
  readonly wrongs: Wrong[];
  end: End;
  readonly messages: string[];
  readonly told: string[];
  readonly answers: string[];
  readonly counts: Counts;
}

/** What the broker has done wrong: it may be told of with `code`. */
export function complain(world: World, code: number, why: string): void {
  world.wrongs.push({ code, why });
}

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

export function hex(bytes: Uint8Array | readonly number[] | string): string {
  return Buffer.from(bytes).toString("hex");
}

function count(from: number, many: number): number[] {
  return Array.from({ length: many }, (_, i) => from + i);
}

/** The world at the end of a prelude. */
export function createWorld(prelude: Prelude): World {
  const { granted, exactlyOnce, resumed = false, published } = prelude;
  const asked = granted === undefined ? (prelude.online ? Sub.Asked : Sub.Wanted) : Sub.Granted;
  const subs = filtersOf(prelude).map((_filter, i): Sub => (granted?.[i] === 128 ? Sub.Refused : asked));
  if (prelude.leaving === true) subs[1] = Sub.Leaving;
  const { released = 0, sent = 0, received = [] } = exactlyOnce ?? {};
  const releases = count(SUBSCRIBE_ID + 1, released);
  const twice = count(SUBSCRIBE_ID + 1 + released, sent);
  const once = count(SUBSCRIBE_ID + 1 + released + sent, published);
  const messages = [...twice.map((id) => ({ id, qos: 2 })), ...once.map((id) => ({ id, qos: 1 }))];
  const next = SUBSCRIBE_ID + 1 + released + sent + published;
  return {
    prelude,
    online: prelude.online,
    proving: prelude.again === true,
    subs,
    subscribeId: prelude.online && granted === undefined ? SUBSCRIBE_ID : 0,
    unsubscribeId: prelude.leaving === true ? next : 0,
    owed: new Map(resumed ? [] : messages.map(({ id, qos }) => [id, qos])),
    held: resumed ? messages.map((each) => ({ ...each, dup: true })) : [],
    releases,
    received: [...received],
    overrun: false,
    certain: prelude.protocol !== 3 || prelude.clean,
    // They stand for nothing on another link.
    aliases: new Map(resumed ? [] : (prelude.aliases ?? []).map(([alias, topic]) => [alias, Buffer.from(topic)])),
    grants: { receiveMaximum: 65535, maximumQos: 2, largest: Infinity, wildcards: true },
    wrongs: [],
    end: "open",
    messages: [],
    told: [],
    answers: [],
    counts: {
      received: 0,
      oversize: 0,
      unmatched: 0,
      acknowledged: 0,
      subscriptionsRefused: 0,
      duplicates: 0,
      overruns: 0,
      discarded: 0,
      rejected: 0,
    },
  };
}

/** The messages of ours that may go out now, as packets: no more than may be under way. */
export function ownPackets({ prelude, online, held, releases, grants }: World): string[] {
  if (!online) return [];
  const limit = prelude.exactlyOnce === undefined ? Infinity : SENDING;
  const window = Math.min(limit, grants.receiveMaximum) - releases.length;
  return held.slice(0, Math.max(0, window)).map((message) => hex(ownPacket(prelude, message)));
}

/** One of our messages, as it is sent. */
export function ownPacket({ protocol }: Prelude, { id, qos, dup }: Held): number[] {
  const body = [0, OWN_TOPIC.length, ...Buffer.from(OWN_TOPIC), id >> 8, id & 255, ...(protocol === 5 ? [0] : []), 0x78];
  return [0x30 + (dup ? 8 : 0) + qos * 2, body.length, ...body];
}
