/** QoS 2 together with what an application may choose on the receiving side: back-pressure, by hand, in parts. */
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { addSubscription } from "../../../../firmware/mqtt/client";
import { acknowledge as acknowledgeByHand, byHand, createByHand } from "../../../../firmware/mqtt/receive/by-hand";
import { clientResume, createHold, notNow } from "../../../../firmware/mqtt/receive/hold";
import { createParts } from "../../../../firmware/mqtt/receive/parts";
import { connect, createListener, reconnect } from "../session";
import { acknowledge, createRig, deliver, idsOf, type Rig, said, settle } from "./rig";

function online(rig: Rig): Rig {
  connect(rig);
  settle(rig);
  return rig;
}

function resume(rig: Rig): void {
  reconnect(rig, true, LinkLoss.Network);
  settle(rig);
}

describe("[MQTT-4.3.3-2] with back-pressure, a message at QoS 2", () => {
  function createBusy(): { rig: Rig; busy: { now: boolean }; heard: string[] } {
    const rig = createRig({ hold: createHold(256) });
    const busy = { now: true };
    const listener = createListener();
    addSubscription(rig.client, "in/a", 2, {
      message(now, message) {
        if (busy.now) notNow(rig.client);
        else listener.message(now, message);
      },
    });
    online(rig);
    return { rig, busy, heard: listener.heard };
  }

  it("is confirmed when it is taken, and not before", () => {
    const { rig, busy, heard } = createBusy();
    expect(deliver(rig, "open", 7)).toEqual([]);
    expect(idsOf(rig.exactlyOnce.received)).toEqual([]);
    busy.now = false;
    clientResume(rig.client, rig.link.now);
    expect(said(rig)).toEqual(["pubrec 7"]);
    expect(heard).toEqual(["in/a open 2"]);
    expect(deliver(rig, "open", 7, { dup: true })).toEqual(["pubrec 7"]);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(heard).toEqual(["in/a open 2"]);
  });

  it("that was not taken comes again on the next link, and then once", () => {
    const { rig, busy, heard } = createBusy();
    deliver(rig, "open", 7);
    busy.now = false;
    resume(rig);
    expect(deliver(rig, "open", 7, { dup: true })).toEqual(["pubrec 7"]);
    expect(heard).toEqual(["in/a open 2 dup"]);
  });
});

describe("[MQTT-4.3.3-2] acknowledged by hand, a message at QoS 2", () => {
  function createHand(): { rig: Rig; hand: ReturnType<typeof createByHand>; tokens: number[]; heard: string[] } {
    const hand = createByHand(8);
    const rig = createRig({ byHand: hand });
    const tokens: number[] = [];
    const listener = createListener();
    addSubscription(rig.client, "hand", 2, byHand(hand, {
      message(now, message) {
        tokens.push(message.token);
        listener.message(now, message);
      },
    }));
    online(rig);
    return { rig, hand, tokens, heard: listener.heard };
  }

  it("is confirmed when the application has taken it over; a copy before that is neither delivered nor confirmed", () => {
    const { rig, hand, tokens, heard } = createHand();
    expect(deliver(rig, "open", 7, { topic: "hand" })).toEqual([]);
    expect(deliver(rig, "open", 7, { topic: "hand", dup: true })).toEqual([]);
    acknowledgeByHand(rig.client, hand, rig.link.now, tokens[0] ?? 0);
    expect(said(rig)).toEqual(["pubrec 7"]);
    expect(deliver(rig, "open", 7, { topic: "hand", dup: true })).toEqual(["pubrec 7"]);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(heard).toEqual(["hand open 2"]);
  });

  it("that was not taken over comes again on the next link, with another token", () => {
    const { rig, hand, tokens, heard } = createHand();
    deliver(rig, "open", 7, { topic: "hand" });
    resume(rig);
    expect(deliver(rig, "open", 7, { topic: "hand", dup: true })).toEqual([]);
    expect(heard).toEqual(["hand open 2", "hand open 2 dup"]);
    acknowledgeByHand(rig.client, hand, rig.link.now, tokens[1] ?? 0);
    expect(said(rig)).toEqual(["pubrec 7"]);
  });

  it("of another subscription waits for its turn to be confirmed, and is then known", () => {
    const { rig, hand, tokens } = createHand();
    deliver(rig, "open", 7, { topic: "hand" });
    expect(deliver(rig, "x", 8)).toEqual([]);
    acknowledgeByHand(rig.client, hand, rig.link.now, tokens[0] ?? 0);
    expect(said(rig)).toEqual(["pubrec 7", "pubrec 8"]);
    expect(idsOf(rig.exactlyOnce.received)).toEqual([7, 8]);
  });
});

describe("[MQTT-4.3.3-2] in parts, a message at QoS 2", () => {
  function createLarge(): { rig: Rig; parts: string[] } {
    const rig = createRig({ parts: createParts(), receiveSize: 32 });
    const parts: string[] = [];
    addSubscription(rig.client, "large", 2, {
      message() {
        parts.push("whole");
      },
      parts: {
        begin(_now, _message, total) {
          parts.push(`begin ${total}`);
        },
        part() {},
        end() {
          parts.push("end");
        },
        aborted() {
          parts.push("aborted");
        },
      },
    });
    online(rig);
    return { rig, parts };
  }
  const payload = "x".repeat(100);

  it("is confirmed after its last part, and a copy is read over", () => {
    const { rig, parts } = createLarge();
    expect(deliver(rig, payload, 7, { topic: "large" })).toEqual(["pubrec 7"]);
    expect(deliver(rig, payload, 7, { topic: "large", dup: true })).toEqual(["pubrec 7"]);
    expect(parts).toEqual(["begin 100", "end"]);
    expect(rig.exactlyOnce.stats.duplicates).toBe(1);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    deliver(rig, payload, 7, { topic: "large" });
    expect(parts).toEqual(["begin 100", "end", "begin 100", "end"]);
  });

  it("that was cut comes again from the start", () => {
    const { rig, parts } = createLarge();
    rig.link.receive(Uint8Array.from([0x34, 109, 0, 5, 108, 97, 114, 103, 101, 0, 7, ...new Array<number>(60).fill(120)]));
    expect(parts).toEqual(["begin 100"]);
    resume(rig);
    expect(deliver(rig, payload, 7, { topic: "large", dup: true })).toEqual(["pubrec 7"]);
    expect(parts).toEqual(["begin 100", "aborted", "begin 100", "end"]);
  });

  it("for which there is no room is off, and the link is closed", () => {
    const { rig, parts } = createLarge();
    for (let id = 1; id <= 8; id++) deliver(rig, "x", id);
    deliver(rig, payload, 9, { topic: "large" });
    expect(rig.exactlyOnce.stats.overruns).toBe(1);
    rig.link.down(LinkLoss.Closed);
    expect(parts).toEqual(["begin 100", "aborted"]);
  });
});
