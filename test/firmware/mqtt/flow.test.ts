import { describe, expect, it } from "vitest";
import { afterLinkLoss, afterSessionLoss, Flow } from "../../../firmware/mqtt/flow";

/** Every point at which an exchange can stand: what a lost link makes of it, and then a lost session. */
const table: readonly (readonly [string, number, Flow, Flow, Flow])[] = [
  // Where it stands, its QoS, it; after the link is lost; and after the session is lost, too.
  ["not sent", 0, Flow.Due, Flow.Ended, Flow.Ended],
  ["not sent", 1, Flow.Due, Flow.Due, Flow.Due],
  ["not sent", 2, Flow.Due, Flow.Due, Flow.Due],
  ["waits for PUBACK", 1, Flow.AwaitAck, Flow.DueAgain, Flow.Due],
  ["waits for PUBREC", 2, Flow.AwaitRec, Flow.DueAgain, Flow.Ended],
  ["is to be sent again", 1, Flow.DueAgain, Flow.DueAgain, Flow.Due],
  ["is to be sent again", 2, Flow.DueAgain, Flow.DueAgain, Flow.Ended],
  ["owes its PUBREL", 2, Flow.DueRel, Flow.DueRel, Flow.Ended],
  ["waits for PUBCOMP", 2, Flow.AwaitComp, Flow.DueRel, Flow.Ended],
  ["waits for the broker's PUBREL", 2, Flow.AwaitRel, Flow.AwaitRel, Flow.Ended],
  ["is over", 0, Flow.Ended, Flow.Ended, Flow.Ended],
  ["is over", 1, Flow.Ended, Flow.Ended, Flow.Ended],
  ["is over", 2, Flow.Ended, Flow.Ended, Flow.Ended],
];

describe("[MQTT-4.4.0-1] an exchange that", () => {
  it.each(table)("%s at QoS %i is known to stand where it should, without its link and without its session", (_what, qos, flow, lost, forgotten) => {
    expect(afterLinkLoss(flow, qos)).toBe(lost);
    expect(afterSessionLoss(lost, qos)).toBe(forgotten);
    // A second loss on the way to the next session changes nothing more.
    expect(afterLinkLoss(lost, qos)).toBe(lost);
    expect(afterSessionLoss(forgotten, qos)).toBe(forgotten);
  });
});
