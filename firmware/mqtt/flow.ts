/**
 * The life of a message that is promised to arrive, in both directions, and what becomes of it when the link is lost or
 * the broker has forgotten the session.
 *
 *     QoS 1 out   Due → AwaitAck → Ended
 *     QoS 2 out   Due → AwaitRec → AwaitComp → Ended
 *     QoS 2 in    AwaitRel → Ended
 *
 * A lost link turns AwaitAck and AwaitRec into DueAgain, and AwaitComp into DueRel.
 */

export const enum Flow {
  /** Not sent yet. */
  Due,
  /** QoS 1, all of it handed to the link: the broker's PUBACK ends it. */
  AwaitAck,
  /** QoS 2, all of it handed to the link: the broker's PUBREC means that it has it. */
  AwaitRec,
  /** Sent on an earlier link, and not one word came: it is sent again, with DUP. */
  DueAgain,
  /** QoS 2, known to be at the broker since an earlier link: PUBREL is owed. The message is never sent again. */
  DueRel,
  /** QoS 2, PUBREL is said: the broker's PUBCOMP ends it. */
  AwaitComp,
  /** QoS 2, received and delivered: until the broker's PUBREL, whatever comes with its identifier is a copy. */
  AwaitRel,
  /** Over. The bytes of an outbound one are given back when everything older is over too. */
  Ended,
}

/**
 * What a lost link does to a message of which the session may go on.
 *
 * `Due`, QoS 1 and 2: nothing whole of it has left, so it is sent as new on the next link. QoS 0: it was meant for the
 * link that is gone. `AwaitAck`, `AwaitRec`: the broker may or may not have it; DUP lets it tell. `AwaitComp`: the
 * broker may or may not have let go of the identifier; a second PUBREL does no harm. `AwaitRel`: the broker may not have
 * our PUBREC, and will then send the message again.
 */
export function afterLinkLoss(flow: Flow, qos: number): Flow {
  if (flow === Flow.Due) return qos === 0 ? Flow.Ended : Flow.Due;
  if (flow === Flow.AwaitAck || flow === Flow.AwaitRec) return Flow.DueAgain;
  return flow === Flow.AwaitComp ? Flow.DueRel : flow;
}

/**
 * What a lost session (CONNACK without session present) does to a message, after its link was lost. The broker remembers
 * nothing, so nothing is a repetition any more [MQTT-3.1.2-6].
 *
 * `DueAgain`: at QoS 1 the message is still owed, so it is sent as a new one, without DUP. At QoS 2 it may have been
 * delivered, and nobody can tell any more: at most once is all that can be kept of the promise. What the broker has
 * forgotten of its releases needs none.
 */
export function afterSessionLoss(flow: Flow, qos: number): Flow {
  return flow === Flow.Due || (flow === Flow.DueAgain && qos === 1) ? Flow.Due : Flow.Ended;
}
