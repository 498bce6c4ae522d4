/** What may have happened before the bytes of the fuzzer come: as data, for the client under test and for the oracle. */
import { type QoS } from "mqtt-packet";

export interface Asked {
  readonly filter: string;
  readonly qos: QoS;
}

export interface Prelude {
  /** MQTT 3.1, 3.1.1 or 5.0. */
  readonly protocol: 3 | 4 | 5;
  readonly clean: boolean;
  /** The broker has accepted the session. */
  readonly online: boolean;
  /** What it said to the SUBSCRIBE, if anything: a code for each filter. */
  readonly granted?: readonly number[];
  /** The second filter is being ended. */
  readonly leaving?: boolean;
  /** So many messages at QoS 1 have gone out and are not acknowledged. */
  readonly published: number;

  /** QoS 2 is spoken, and all of the following has happened at it. */
  readonly exactlyOnce?: {
    /** So many messages of ours wait for PUBCOMP, and so many for PUBREC. */
    readonly released: number;
    readonly sent: number;
    /** Identifiers of messages that have come and were not released. */
    readonly received: readonly number[];
  };
  /** Then the link was lost, and CONNECT has been said on another. It is `online` no more. */
  readonly resumed?: boolean;

  /** MQTT 5.0: a client without a name; the method by which it proves who it is; that it is doing so again. */
  readonly nameless?: boolean;
  readonly method?: string;
  readonly again?: boolean;
  /** It takes packets of up to so many bytes, and reads over those that it cannot deliver. */
  readonly largest?: number;
  /** The broker has said what these of its aliases stand for. */
  readonly aliases?: readonly (readonly [alias: number, topic: string])[];
}

/** In the order in which a SUBSCRIBE has them. */
const twoFilters: readonly Asked[] = [
  { filter: "a/+", qos: 1 },
  { filter: "b/#", qos: 0 },
];

const atQos2: readonly Asked[] = [
  { filter: "a/+", qos: 2 },
  { filter: "b/#", qos: 1 },
];

export function filtersOf({ exactlyOnce }: Prelude): readonly Asked[] {
  return exactlyOnce === undefined ? twoFilters : atQos2;
}

/**
 * The SUBSCRIBE has 1. Our messages have those from 2 on: first those that are released, then those at QoS 2 that are
 * sent, then those at QoS 1. The UNSUBSCRIBE has the next.
 */
export const SUBSCRIBE_ID = 1;

/** The topic and the payload of each of our messages. */
export const OWN_TOPIC = "t";
export const OWN_PAYLOAD = "x";

/** The largest body that the client delivers. */
export const RECEIVE_SIZE = 64;

/** At QoS 2, so many of ours may be under way, and so many of the broker's. */
export const SENDING = 6;
export const RECEIVING = 3;

/** The broker may use so many aliases, for topics of so many bytes. */
export const ALIASES = 2;
export const ALIAS_TOPIC_SIZE = 6;

/** What the client answers to a challenge; and the data with which it believes neither a challenge nor a welcome. */
export const PROOF = [0x70, 0x72];
export const NOT_BELIEVED = [0x6e, 0x6f];

const nothing = { released: 0, sent: 0, received: [] } as const;
const exchange = { released: 1, sent: 2, received: [1, 4] } as const;

export const preludes = {
  connecting: { protocol: 4, clean: false, online: false, published: 0 },
  clean: { protocol: 4, clean: true, online: false, published: 0 },
  asking: { protocol: 4, clean: false, online: true, published: 2 },
  listening: { protocol: 4, clean: false, online: true, granted: [1, 0], published: 2 },
  refused: { protocol: 4, clean: false, online: true, granted: [128, 0], published: 0 },
  leaving: { protocol: 4, clean: false, online: true, granted: [1, 0], leaving: true, published: 1 },
  resuming: { protocol: 4, clean: false, online: false, granted: [1, 0], published: 2, resumed: true },

  "qos2-connecting": { protocol: 4, clean: true, online: false, published: 0, exactlyOnce: nothing },
  "qos2-asking": { protocol: 4, clean: false, online: true, published: 0, exactlyOnce: exchange },
  "qos2-exchanging": { protocol: 4, clean: false, online: true, granted: [2, 1], published: 1, exactlyOnce: exchange },
  "qos2-full": { protocol: 4, clean: false, online: true, granted: [2, 0], published: 0, exactlyOnce: { released: 3, sent: 0, received: [1, 2, 3] } },
  "qos2-resuming": { protocol: 4, clean: false, online: false, granted: [2, 1], published: 1, resumed: true, exactlyOnce: exchange },

  "old-connecting": { protocol: 3, clean: false, online: false, published: 0, exactlyOnce: nothing },
  "old-exchanging": { protocol: 3, clean: false, online: true, granted: [2, 1], published: 1, exactlyOnce: exchange },
  "old-resuming": { protocol: 3, clean: false, online: false, granted: [2, 1], published: 1, resumed: true, exactlyOnce: exchange },

  "five-connecting": { protocol: 5, clean: false, online: false, published: 0 },
  "five-nameless": { protocol: 5, clean: true, online: false, published: 0, nameless: true },
  "five-asking": { protocol: 5, clean: false, online: true, published: 2, exactlyOnce: nothing },
  "five-listening": { protocol: 5, clean: false, online: true, granted: [1, 0], published: 2, largest: 150, aliases: [[1, "a/b"]] },
  "five-leaving": { protocol: 5, clean: false, online: true, granted: [1, 0], leaving: true, published: 1 },
  "five-exchanging": {
    protocol: 5,
    clean: false,
    online: true,
    granted: [2, 1],
    published: 1,
    exactlyOnce: exchange,
    largest: 2000,
    aliases: [[2, "b/c"]],
  },
  "five-resuming": {
    protocol: 5,
    clean: false,
    online: false,
    granted: [2, 1],
    published: 2,
    resumed: true,
    exactlyOnce: exchange,
    aliases: [[1, "a/b"]],
  },
  "five-proving": { protocol: 5, clean: false, online: false, published: 0, method: "M" },
  "five-again": { protocol: 5, clean: false, online: true, granted: [1, 0], published: 0, method: "M", again: true },
} as const satisfies Record<string, Prelude>;

export type PreludeName = keyof typeof preludes;

export const preludeNames: readonly [PreludeName, ...PreludeName[]] = [
  "connecting",
  "clean",
  "asking",
  "listening",
  "refused",
  "leaving",
  "resuming",
  "qos2-connecting",
  "qos2-asking",
  "qos2-exchanging",
  "qos2-full",
  "qos2-resuming",
  "old-connecting",
  "old-exchanging",
  "old-resuming",
  "five-connecting",
  "five-nameless",
  "five-asking",
  "five-listening",
  "five-leaving",
  "five-exchanging",
  "five-resuming",
  "five-proving",
  "five-again",
];
