import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { connect, finishClosing, fromBroker, message, reconnect } from "../session";
import { acknowledge, deliver, idsOf, online, said, settle } from "./rig";

describe("a message that comes at QoS 2", () => {
  it("[MQTT-4.3.3-2] is delivered, confirmed by PUBREC, and its PUBREL is answered by PUBCOMP", () => {
    const rig = online();
    expect(deliver(rig, "open", 7)).toEqual(["pubrec 7"]);
    expect(rig.heard).toEqual(["in/a open 2"]);
    expect(idsOf(rig.exactlyOnce.received)).toEqual([7]);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(idsOf(rig.exactlyOnce.received)).toEqual([]);
    expect(rig.heard).toEqual(["in/a open 2"]);
  });

  it("[MQTT-4.3.3-2] is confirmed again and not delivered when it comes again before its PUBREL, with DUP or without", () => {
    const rig = online();
    deliver(rig, "open", 7);
    expect(deliver(rig, "open", 7, { dup: true })).toEqual(["pubrec 7"]);
    expect(deliver(rig, "open", 7)).toEqual(["pubrec 7"]);
    expect(rig.heard).toEqual(["in/a open 2"]);
    expect(rig.exactlyOnce.stats.duplicates).toBe(2);
    expect(rig.client.stats.received).toBe(1);
  });

  it("[MQTT-4.3.3-2] is another one after the PUBREL, even with DUP", () => {
    const rig = online();
    deliver(rig, "open", 7);
    acknowledge(rig, "pubrel", 7);
    expect(deliver(rig, "close", 7, { dup: true })).toEqual(["pubrec 7"]);
    expect(rig.heard).toEqual(["in/a open 2", "in/a close 2 dup"]);
  });

  it("[MQTT-4.3.3-2] has every PUBREL answered by PUBCOMP, also one that nobody knows", () => {
    const rig = online();
    expect(acknowledge(rig, "pubrel", 9)).toEqual(["pubcomp 9"]);
    deliver(rig, "open", 7);
    for (let i = 0; i < 3; i++) expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(rig.client.state).toBe(ClientState.Online);
  });

  it("is remembered over lost links until its PUBREL", () => {
    const rig = online();
    deliver(rig, "open", 7);
    reconnect(rig, true);
    expect(said(rig)).toEqual([]);
    expect(deliver(rig, "open", 7, { dup: true })).toEqual(["pubrec 7"]);
    reconnect(rig, true, LinkLoss.Network);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    reconnect(rig, true);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(rig.heard).toEqual(["in/a open 2"]);
  });

  it("[MQTT-4.6.0-3] is confirmed in the order of arrival", () => {
    const rig = online();
    for (const id of [9, 3, 5]) fromBroker(rig, message("in/a", `${id}`, { qos: 2, messageId: id }));
    expect(said(rig)).toEqual(["pubrec 9", "pubrec 3", "pubrec 5"]);
    for (const id of [3, 9, 5]) fromBroker(rig, { cmd: "pubrel", messageId: id });
    expect(said(rig)).toEqual(["pubcomp 3", "pubcomp 9", "pubcomp 5"]);
  });

  it("[MQTT-3.3.4-1] is confirmed though nobody wants it, and counted", () => {
    const rig = online();
    fromBroker(rig, message("elsewhere", "x", { qos: 2, messageId: 4 }));
    expect(said(rig)).toEqual(["pubrec 4"]);
    expect(rig.client.stats.unmatched).toBe(1);
    expect(acknowledge(rig, "pubrel", 4)).toEqual(["pubcomp 4"]);
  });

  it("[MQTT-3.3.4-1] is confirmed though it is too large to be delivered, and counted once", () => {
    const rig = online({ receiveSize: 32 });
    const large = "x".repeat(100);
    expect(deliver(rig, large, 7)).toEqual(["pubrec 7"]);
    expect(deliver(rig, large, 7, { dup: true })).toEqual(["pubrec 7"]);
    expect(rig.client.stats.oversize).toBe(1);
    expect(rig.exactlyOnce.stats.duplicates).toBe(1);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(rig.heard).toEqual([]);
  });

  it("has an identifier of the broker's own: one of ours may be the same", () => {
    const rig = online();
    rig.client.lastId = 6;
    deliver(rig, "open", 7);
    expect(rig.client.quota).toBe(8);
    expect(acknowledge(rig, "pubcomp", 7)).toEqual([]);
    expect(idsOf(rig.exactlyOnce.received)).toEqual([7]);
  });

  it("[MQTT-4.3.3-2] is understood in pieces, at whatever byte they are cut", () => {
    for (let chunk = 1; chunk < 20; chunk++) {
      const rig = online();
      fromBroker(rig, message("in/a", "open", { qos: 2, messageId: 7 }), chunk);
      fromBroker(rig, message("in/a", "open", { qos: 2, messageId: 7, dup: true }), chunk);
      fromBroker(rig, { cmd: "pubrel", messageId: 7 }, chunk);
      expect(said(rig)).toEqual(["pubrec 7", "pubrec 7", "pubcomp 7"]);
      expect(rig.heard).toEqual(["in/a open 2"]);
    }
  });
});

describe("more messages at QoS 2 than can be borne in mind", () => {
  it("close the link, undelivered, and come when there is room", () => {
    const rig = online({ receiving: 2 });
    deliver(rig, "a", 1);
    deliver(rig, "b", 2);
    deliver(rig, "c", 3);
    expect(rig.client.fault).toBe(Fault.Full);
    expect(rig.exactlyOnce.stats.overruns).toBe(1);
    expect(rig.heard).toEqual(["in/a a 2", "in/a b 2"]);
    finishClosing(rig);
    connect(rig, true);
    settle(rig);
    // The broker resumes: what has had its PUBREC is released first.
    acknowledge(rig, "pubrel", 1);
    expect(deliver(rig, "c", 3, { dup: true })).toEqual(["pubrec 3"]);
    expect(rig.heard).toEqual(["in/a a 2", "in/a b 2", "in/a c 2 dup"]);
    expect(rig.client.state).toBe(ClientState.Online);
  });

  it("come all in the end, in order, however many the broker has under way: each link confirms what it had room for", () => {
    // As Mosquitto 2.0: all at once, and on the next link PUBREL for what was confirmed, and the others again.
    const rig = online({ receiving: 3 });
    const names = Array.from({ length: 10 }, (_, i) => `m${i}`);
    const confirmed = new Set<string>();
    const links: number[] = [];
    for (let link = 0; link < 20 && confirmed.size < names.length; link++) {
      for (const [i, payload] of names.entries()) {
        if (!confirmed.has(`pubrec ${i + 1}`)) fromBroker(rig, message("in/a", payload, { qos: 2, messageId: i + 1, dup: link > 0 }));
      }
      const packets = said(rig);
      for (const packet of packets) confirmed.add(packet);
      links.push(packets.length);
      if (confirmed.size === names.length) break;
      expect(rig.client.fault).toBe(Fault.Full);
      finishClosing(rig);
      connect(rig, true);
      settle(rig);
      for (const packet of packets) fromBroker(rig, { cmd: "pubrel", messageId: Number(packet.split(" ")[1]) });
      settle(rig);
    }
    expect(links).toEqual([3, 3, 3, 1]);
    expect(rig.heard.map((heard) => heard.split(" ")[1])).toEqual(names);
    expect(rig.exactlyOnce.stats.overruns).toBe(3);
    expect(rig.client.state).toBe(ClientState.Online);
  });

  it("are not copies: those are confirmed, full or not", () => {
    const rig = online({ receiving: 1 });
    deliver(rig, "a", 1);
    expect(deliver(rig, "a", 1, { dup: true })).toEqual(["pubrec 1"]);
    expect(rig.client.state).toBe(ClientState.Online);
  });
});
