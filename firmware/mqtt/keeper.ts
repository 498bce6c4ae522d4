/** What the client asks of whoever keeps its session in storage, when the application wants it kept: `createKeeper`. */
import type { Millis } from "../../hal/hal";
import { type Client } from "./client-state";

/** Counters since power-on, and how many records are held now. */
export interface KeeperStats {
  /** Messages, and PUBRELs that are owed for them, that are on the medium now. */
  held: number;
  /** Messages that were written to the medium. */
  kept: number;
  /** Messages that were not, because the wear allowed for was used up: they, or their identifiers, are in RAM only. */
  passed: number;
  /** Messages that were not accepted: no slot or no room, longer than a record, or the medium failed. */
  refused: number;
  /** At boot: what was there to go on with, and what was not: damaged, of another session, or without room. */
  restored: number;
  dropped: number;
}

export interface Keeper {
  readonly stats: KeeperStats;
  /** Puts what was kept into a client that is otherwise ready. Once, before the client is started. @boot */
  restore(this: void, client: Client): void;
  /** Whether {@link keep} would take a message now, as far as can be told without writing. */
  hasRoom(this: void, qos: number): boolean;
  /**
   * A message at QoS 1 or 2 is to be accepted: `first` and `count` bytes of body, which stand at `at` in the outbox's
   * buffer, but are not queued yet. False, and counted: it must not be accepted.
   */
  keep(this: void, client: Client, first: number, at: number, count: number): boolean;
  /**
   * The lists of identifiers of QoS 2 (`client.exactlyOnce`) have changed. Called before anything is said or delivered
   * that rests on it. False when it could not be kept: then it is not said or delivered either.
   */
  identifiers(this: void, client: Client): boolean;
  /**
   * CONNACK came, and what a lost session takes with it is gone. Called before anything is sent in the session. False
   * when it could not be written down: the link is closed.
   */
  session(this: void, client: Client): boolean;
  /** Forgets what is over. With every poll of the client. */
  poll(this: void, client: Client, now: Millis): void;
}
