import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { clientLeave } from "../../../../firmware/mqtt/client";
import { ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { outboxCount, outboxUsed } from "../../../../firmware/mqtt/outbox";
import { publishText } from "../../../../firmware/mqtt/publish";
import { ACK_PATIENCE } from "../../../../firmware/mqtt/sender";
import { connect, finishClosing, passTime, poll, raw, reconnect, underWay } from "../session";
import { acknowledge, createRig, idsOf, online, reading, said, send, settle, valve } from "./rig";

describe("a message that is published at QoS 2", () => {
  it("[MQTT-4.3.3-1] is over after PUBREC and PUBCOMP, its bytes after PUBREC, and counted once", () => {
    const rig = online();
    const id = send(rig, "open");
    expect(underWay(rig)).toBe(1);
    expect(acknowledge(rig, "pubrec", id)).toEqual([`pubrel ${id}`]);
    expect(outboxUsed(rig.client.outbox)).toBe(0);
    expect(idsOf(rig.exactlyOnce.releases)).toEqual([id]);
    expect(rig.client.stats.acknowledged).toBe(0);
    expect(acknowledge(rig, "pubcomp", id)).toEqual([]);
    expect(idsOf(rig.exactlyOnce.releases)).toEqual([]);
    expect(rig.client.stats.acknowledged).toBe(1);
    expect(rig.client.window).toBe(8);
    expect(rig.client.quota).toBe(8);
  });

  it("[MQTT-3.6.1-1] is released by the bytes 62 02 and its identifier", () => {
    const rig = online();
    const id = send(rig, "open");
    raw(rig, 0x50, 2, 0, id);
    expect([...rig.link.flush()]).toEqual([0x62, 2, 0, id]);
  });

  it("[MQTT-3.3.1-1] is sent without DUP the first time, and with it on every later link, in the same order", () => {
    const rig = online();
    publishText(rig.client, valve, "open");
    publishText(rig.client, valve, "close");
    expect(said(rig)).toEqual(["publish open 2 2", "publish close 2 3"]);
    for (let i = 0; i < 3; i++) {
      rig.link.down(LinkLoss.Peer);
      connect(rig, true);
      expect(said(rig)).toEqual(["publish open 2 2 dup", "publish close 2 3 dup"]);
    }
  });

  it("[MQTT-4.3.3-1] has its PUBREL said again for every PUBREC that is repeated", () => {
    const rig = online();
    const id = send(rig, "open");
    expect(acknowledge(rig, "pubrec", id)).toEqual([`pubrel ${id}`]);
    expect(acknowledge(rig, "pubrec", id)).toEqual([`pubrel ${id}`]);
    expect(idsOf(rig.exactlyOnce.releases)).toEqual([id]);
    acknowledge(rig, "pubcomp", id);
    expect(acknowledge(rig, "pubrec", id)).toEqual([`pubrel ${id}`]);
    expect(idsOf(rig.exactlyOnce.releases)).toEqual([]);
    expect(rig.client.quota).toBe(8);
  });

  it("[MQTT-4.6.0-4] has its PUBREL said in the order of the PUBRECs, not of the messages, also on the next link", () => {
    const rig = online();
    const ids = ["a", "b", "c"].map((payload) => send(rig, payload));
    const [a = 0, b = 0, c = 0] = ids;
    for (const id of [c, a, b]) acknowledge(rig, "pubrec", id);
    rig.link.down(LinkLoss.Peer);
    connect(rig, true);
    expect(said(rig)).toEqual([`pubrel ${c}`, `pubrel ${a}`, `pubrel ${b}`]);
  });

  it("[MQTT-4.4.0-1] is resumed: first the PUBRELs, then the messages with DUP, then what was never sent", () => {
    const rig = online();
    const first = send(rig, "first");
    const second = send(rig, "second");
    const third = send(rig, "third", reading);
    acknowledge(rig, "pubrec", first);
    rig.link.down(LinkLoss.Peer);
    send(rig, "fourth");
    connect(rig, true);
    expect(said(rig)).toEqual([
      `pubrel ${first}`,
      `publish second 2 ${second} dup`,
      `publish third 1 ${third} dup`,
      "publish fourth 2 5",
    ]);
    expect(rig.client.stats.retried).toBe(2);
  });

  it("[MQTT-4.3.3-1] is never published again once its PUBREC has come, however often the link is lost", () => {
    const rig = online();
    const id = send(rig, "open");
    acknowledge(rig, "pubrec", id);
    for (let i = 0; i < 5; i++) {
      rig.link.down(LinkLoss.Network);
      connect(rig, true);
      expect(said(rig)).toEqual([`pubrel ${id}`]);
    }
    acknowledge(rig, "pubcomp", id);
    rig.link.down(LinkLoss.Network);
    connect(rig, true);
    expect(said(rig)).toEqual([]);
  });

  it("has its PUBREL said on the next link when it was queued and never left", () => {
    const rig = online();
    const id = send(rig, "open");
    raw(rig, 0x50, 2, 0, id);
    rig.link.down(LinkLoss.Network);
    connect(rig, true);
    expect(said(rig)).toEqual([`pubrel ${id}`]);
  });

  it("is sent again when a PUBREC of the link before comes late, since nobody knows what it answers", () => {
    const rig = online();
    const id = send(rig, "open");
    rig.link.down(LinkLoss.Network);
    connect(rig, true);
    // Not flushed: the PUBLISH with DUP has not left yet.
    raw(rig, 0x50, 2, 0, id);
    expect(said(rig)).toEqual([`publish open 2 ${id} dup`]);
    expect(acknowledge(rig, "pubrec", id)).toEqual([`pubrel ${id}`]);
  });

  it("is ended by the PUBACK of a broker of which the application knows that it has no QoS 2", () => {
    const rig = online({ pubackEnds: true, maxInFlight: 1 });
    const first = send(rig, "1", valve);
    const second = send(rig, "2", valve);
    expect(acknowledge(rig, "puback", first)).toEqual([`publish 2 2 ${second}`]);
    expect(acknowledge(rig, "puback", first)).toEqual([]);
    acknowledge(rig, "puback", second);
    expect(rig.client.stats.acknowledged).toBe(2);
    expect(outboxCount(rig.client.outbox)).toBe(0);
  });

  it("[MQTT-2.3.1-7] is not ended by a PUBACK, nor one at QoS 1 by a PUBREC or a PUBCOMP", () => {
    const rig = online();
    const twice = send(rig, "open");
    const once = send(rig, "21.5", reading);
    expect(acknowledge(rig, "puback", twice)).toEqual([]);
    expect(acknowledge(rig, "pubrec", once)).toEqual([]);
    expect(acknowledge(rig, "pubcomp", once)).toEqual([]);
    expect(acknowledge(rig, "pubcomp", twice)).toEqual([]);
    expect(outboxCount(rig.client.outbox)).toBe(2);
    expect(rig.client.quota).toBe(6);
    expect(rig.client.stats.acknowledged).toBe(0);
    expect(acknowledge(rig, "pubrec", twice)).toEqual([`pubrel ${twice}`]);
    acknowledge(rig, "puback", twice);
    expect(idsOf(rig.exactlyOnce.releases)).toEqual([twice]);
    acknowledge(rig, "pubcomp", twice);
    acknowledge(rig, "puback", once);
    expect(rig.client.quota).toBe(8);
    expect(rig.client.stats.acknowledged).toBe(2);
  });

  it("does not answer a PUBREC of nothing by a change, but by the PUBREL that ends it", () => {
    const rig = online();
    expect(acknowledge(rig, "pubrec", 77)).toEqual(["pubrel 77"]);
    expect(acknowledge(rig, "pubcomp", 77)).toEqual([]);
    expect(rig.client.quota).toBe(8);
    expect(rig.client.window).toBe(8);
  });

  it("is waited for by a client that leaves, until its PUBCOMP", () => {
    const rig = online();
    const id = send(rig, "open");
    clientLeave(rig.client, rig.link.now, 60000);
    expect(said(rig)).toEqual([]);
    expect(acknowledge(rig, "pubrec", id)).toEqual([`pubrel ${id}`]);
    expect(said(rig)).toEqual([]);
    expect(acknowledge(rig, "pubcomp", id)).toEqual(["disconnect"]);
  });
});

describe("patience with the broker's answers", () => {
  it("ends when PUBREC does not come", () => {
    const rig = online({ keepAlive: 0 });
    send(rig, "open");
    passTime(rig, ACK_PATIENCE - 1);
    expect(rig.client.state).toBe(ClientState.Online);
    passTime(rig, 1);
    expect(rig.client.fault).toBe(Fault.AckMissing);
  });

  it("ends when PUBCOMP does not come, and begins anew with PUBREC", () => {
    const rig = online({ keepAlive: 0 });
    const id = send(rig, "open");
    passTime(rig, ACK_PATIENCE - 1);
    acknowledge(rig, "pubrec", id);
    passTime(rig, ACK_PATIENCE - 1);
    expect(rig.client.state).toBe(ClientState.Online);
    passTime(rig, 1);
    expect(rig.client.fault).toBe(Fault.AckMissing);
  });

  it("ends when one PUBCOMP does not come, whatever else is acknowledged meanwhile", () => {
    const rig = online({ keepAlive: 0 });
    const stuck = send(rig, "stuck");
    acknowledge(rig, "pubrec", stuck);
    for (let second = 0; second < 19; second++) {
      const id = send(rig, "x");
      acknowledge(rig, "pubrec", id);
      acknowledge(rig, "pubcomp", id);
      acknowledge(rig, "puback", send(rig, "x", reading));
      passTime(rig, 1000);
    }
    expect(rig.client.state).toBe(ClientState.Online);
    passTime(rig, 1000);
    expect(rig.client.fault).toBe(Fault.AckMissing);
  });

  it("ends when one PUBACK does not come, whatever is released meanwhile", () => {
    const rig = online({ keepAlive: 0, outboxSlots: 64 });
    send(rig, "stuck", reading);
    for (let second = 0; second < 19; second++) {
      const id = send(rig, "x");
      acknowledge(rig, "pubrec", id);
      acknowledge(rig, "pubcomp", id);
      passTime(rig, 1000);
    }
    expect(rig.client.state).toBe(ClientState.Online);
    passTime(rig, 1000);
    expect(rig.client.fault).toBe(Fault.AckMissing);
  });

  it("begins anew on the next link, for PUBRELs that are said again", () => {
    const rig = online({ keepAlive: 0 });
    acknowledge(rig, "pubrec", send(rig, "open"));
    passTime(rig, ACK_PATIENCE - 1);
    reconnect(rig, true);
    settle(rig);
    passTime(rig, ACK_PATIENCE - 1);
    expect(rig.client.state).toBe(ClientState.Online);
    passTime(rig, 1);
    expect(rig.client.fault).toBe(Fault.AckMissing);
    finishClosing(rig);
  });

  it("has no end while nothing is owed", () => {
    const rig = online({ keepAlive: 0 });
    const id = send(rig, "open");
    acknowledge(rig, "pubrec", id);
    acknowledge(rig, "pubcomp", id);
    passTime(rig, 100 * ACK_PATIENCE);
    expect(rig.client.state).toBe(ClientState.Online);
  });
});

describe("a PUBREC, PUBREL or PUBCOMP", () => {
  const malformed: readonly (readonly [string, readonly number[], Breach])[] = [
    ["[MQTT-2.2.2-2] a PUBREC with flags", [0x52, 2, 0, 1], Breach.Flags],
    ["[MQTT-3.6.1-1] a PUBREL without its flags", [0x60, 2, 0, 1], Breach.Flags],
    ["[MQTT-3.6.1-1] a PUBREL with other flags", [0x6a, 2, 0, 1], Breach.Flags],
    ["[MQTT-2.2.2-2] a PUBCOMP with flags", [0x78, 2, 0, 1], Breach.Flags],
    ["a PUBREC of one byte", [0x50, 1, 1], Breach.Length],
    ["a PUBREL of three bytes", [0x62, 3, 0, 1, 0], Breach.Length],
    ["a PUBCOMP without an identifier", [0x70, 0], Breach.Length],
    ["[MQTT-2.3.1-1] an identifier of 0", [0x50, 2, 0, 0], Breach.ZeroIdentifier],
    ["[MQTT-2.3.1-1] a PUBREL of identifier 0", [0x62, 2, 0, 0], Breach.ZeroIdentifier],
    ["[MQTT-3.3.1-4] a PUBLISH at QoS 3", [0x36, 7, 0, 1, 97, 0, 1, 120, 121], Breach.Qos3],
    ["[MQTT-2.3.1-1] a PUBLISH at QoS 2 with identifier 0", [0x34, 6, 0, 1, 97, 0, 0, 120], Breach.ZeroIdentifier],
    ["a PUBLISH at QoS 2 that ends before its identifier", [0x34, 4, 0, 1, 97, 0], Breach.Length],
  ];

  it.each(malformed)("%s closes the link", (_what, bytes, breach) => {
    const rig = online();
    raw(rig, ...bytes);
    expect(rig.client.fault).toBe(Fault.Violation);
    expect(rig.client.breach).toBe(breach);
    expect(rig.client.stats.violations).toBe(1);
  });

  it("[MQTT-3.2.0-1] before CONNACK closes the link", () => {
    for (const first of [0x50, 0x62, 0x70]) {
      const rig = createRig();
      connect(rig);
      rig.link.down(LinkLoss.Peer);
      passTime(rig, 1000);
      rig.link.up();
      rig.link.flush();
      raw(rig, first, 2, 0, 1);
      expect(rig.client.breach).toBe(Breach.BeforeConnack);
    }
  });

  it("whose room in the control ring is gone closes the link, and the next one makes it good", () => {
    const rig = online();
    const id = send(rig, "open");
    // The link does not ask how much room there is, and nothing leaves.
    for (let i = 0; i < 200 && rig.client.state === ClientState.Online; i++) {
      rig.link.user().received(0, Uint8Array.from([0x50, 2, 1, i]), 0, 4);
    }
    expect(rig.client.fault).toBe(Fault.Full);
    finishClosing(rig);
    connect(rig, true);
    poll(rig);
    expect(said(rig)).toEqual([`publish open 2 ${id} dup`]);
  });
});
