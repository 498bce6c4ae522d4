/**
 * The life of an outbound message, from the outbox to its end, and what becomes of it when the link is lost or the
 * broker has forgotten the session. QoS 2 will add its own states here, between `AwaitAck` and `Ended`.
 */

export const enum Flow {
  /** Not sent yet. */
  Due,
  /** QoS 1, all of it handed to the link: the broker's PUBACK ends it. */
  AwaitAck,
  /** QoS 1, sent on an earlier link and never acknowledged: it is sent again, with DUP. */
  DueAgain,
  /** Over. Its bytes are given back when everything older is over too. */
  Ended,
}

/**
 * What a lost link does to a message.
 *
 * `Due`, QoS 1: nothing whole of it has left, so it is sent as new on the next link. QoS 0: it was meant for the link
 * that is gone. `AwaitAck`: the broker may or may not have it; sending it again is what "at least once" means.
 */
export function afterLinkLoss(flow: Flow, qos: number): Flow {
  switch (flow) {
    case Flow.Due:
      return qos === 0 ? Flow.Ended : Flow.Due;
    case Flow.AwaitAck:
    case Flow.DueAgain:
      return Flow.DueAgain;
    case Flow.Ended:
      return Flow.Ended;
  }
}

/**
 * What a lost session (CONNACK without session present) does to a message. The broker remembers nothing, so nothing is
 * a repetition any more [MQTT-3.1.2-6]; but the message is still owed, so it is sent as a new one, without DUP.
 */
export function afterSessionLoss(flow: Flow): Flow {
  return flow === Flow.DueAgain ? Flow.Due : flow;
}
