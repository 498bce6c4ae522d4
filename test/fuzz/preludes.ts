/** What may have happened before the bytes of the fuzzer come: as data, for the client under test and for the oracle. */
import { type QoS } from "mqtt-packet";

export interface Asked {
  readonly filter: string;
  readonly qos: QoS;
}

export interface Prelude {
  readonly clean: boolean;
  /** The broker has accepted the session. */
  readonly online: boolean;
  /** What it said to the SUBSCRIBE, if anything: a code for each filter. */
  readonly granted?: readonly number[];
  /** The second filter is being ended. */
  readonly leaving?: boolean;
  /** So many messages at QoS 1 have gone out and are not acknowledged. */
  readonly published: number;
}

/** In the order in which a SUBSCRIBE has them. */
export const filters: readonly Asked[] = [
  { filter: "a/+", qos: 1 },
  { filter: "b/#", qos: 0 },
];

/** With `published`, they have the identifiers from 2 on; the SUBSCRIBE has 1, and the UNSUBSCRIBE the next. */
export const SUBSCRIBE_ID = 1;

/** The largest body that the client delivers. */
export const RECEIVE_SIZE = 64;

export const preludes = {
  connecting: { clean: false, online: false, published: 0 },
  clean: { clean: true, online: false, published: 0 },
  asking: { clean: false, online: true, published: 2 },
  listening: { clean: false, online: true, granted: [1, 0], published: 2 },
  refused: { clean: false, online: true, granted: [128, 0], published: 0 },
  leaving: { clean: false, online: true, granted: [1, 0], leaving: true, published: 1 },
} as const satisfies Record<string, Prelude>;

export type PreludeName = keyof typeof preludes;

export const preludeNames: readonly [PreludeName, ...PreludeName[]] = [
  "listening",
  "asking",
  "connecting",
  "clean",
  "refused",
  "leaving",
];
