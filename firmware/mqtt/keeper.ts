/** What the client asks of whoever keeps its session in storage, when the application wants it kept. */
import type { Millis } from "../../hal/hal";
import { type Client } from "./client-state";

export interface Keeper {
  /**
   * The lists of identifiers of QoS 2 (`client.exactlyOnce`) have changed. Called before anything is said or delivered
   * that rests on it. False when it could not be kept: then it is not said or delivered either.
   */
  identifiers(this: void, client: Client, now: Millis): boolean;
}
