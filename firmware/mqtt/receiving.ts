/**
 * What the client asks of the features of its receiving side, each of which an application hands in, or does without:
 * back-pressure (`receive/hold.ts`), acknowledgement by hand (`receive/by-hand.ts`), payloads in parts
 * (`receive/parts.ts`).
 */
import type { Bytes, Millis } from "../../hal/hal";
import { type Client } from "./client-state";
import { type LargeTaker } from "./reader";

/** Keeps what comes while a handler cannot take what has come before. */
export interface Hold {
  /** Something is held: nothing is read from the link. */
  holding: boolean;
  /** Of `room` bytes that may come otherwise, how many find room here should they have to be held. */
  room(this: void, room: number): number;
  /** The subscription at `place` has said "not now" to the message in `client.message`, which is this packet. */
  keep(this: void, client: Client, first: number, bytes: Bytes, at: number, count: number, place: number): void;
  /** The same of a part of a message, none of whose bytes count as read. */
  keepPart(this: void, client: Client): void;
  /** What has come behind it. */
  store(this: void, client: Client, bytes: Bytes, at: number, count: number): void;
  /** Tries it again. Does nothing when nothing is held. */
  retry(this: void, client: Client, now: Millis): void;
  /** The link is gone: what is held was not acknowledged, and comes again if the broker owes it. */
  linkLost(this: void, client: Client): void;
}

/** Holds back acknowledgements until the application gives them. */
export interface ByHand {
  /** A message has been delivered: acknowledges it, or holds that back for it or for one that came before it. */
  settle(this: void, client: Client, now: Millis, qos: number, id: number): void;
  /** Whether that of a message at QoS 2 with this identifier is held back. */
  owes(this: void, id: number): boolean;
  /** The most acknowledgements that are held back at a time, and how many are: with all of them, nothing is read. */
  readonly slots: number;
  count: number;
  /** Of `room` bytes that may come otherwise, how many may come such that each message among them has its slot. */
  room(this: void, client: Client, room: number): number;
  /** The link is gone: what was not acknowledged comes again, as another message. */
  linkLost(this: void, client: Client): void;
}

/** Takes payloads that are larger than the client's buffer. */
export interface Parts {
  /** Whom the reader tells. @boot */
  taker(this: void, client: Client): LargeTaker;
  /** What is left in the reader's buffer of a part to which a handler said "not now". False: it says so again. */
  retry(this: void, client: Client, now: Millis): boolean;
  /** The link is gone. */
  linkLost(this: void, client: Client, now: Millis): void;
}
