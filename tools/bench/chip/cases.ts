/** What is measured on a chip, in this order. */

export const enum Case {
  Nothing,
  PublishQos0,
  PublishQos1,
  ReceiveQos0,
  ReceiveQos1,
  /** A QoS 0 publish whose payload is not there before, but is written into the outbox. */
  WriteQos0,
}

export const CASES = 6;

/** The cases of `exactly-once.ts`, which measures QoS 2: nothing, publish, receive. */
export const EXACT_CASES = 3;

/** How often each case runs between its two marks. */
export const ROUNDS = 1000;

/** High while a case is measured. */
export const MARK_PIN = 22;
