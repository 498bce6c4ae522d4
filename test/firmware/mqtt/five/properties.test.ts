import { describe, expect, it } from "vitest";
import {
  createProperties,
  findProperty,
  MOST,
  nextProperty,
  numberOf,
  propertiesNone,
  propertiesOpen,
  Property,
  varyingAt,
} from "../../../../firmware/mqtt/five/properties";
import { Reason } from "../../../../firmware/mqtt/five/reason";
import { PacketType } from "../../../../firmware/mqtt/packet";
import { section, tellProperties, text, u32, VALID, varying } from "./wire";

const { Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Disconnect, Auth } = {
  Connack: PacketType.Connack,
  Publish: PacketType.Publish,
  Puback: PacketType.Puback,
  Pubrec: PacketType.Pubrec,
  Pubrel: PacketType.Pubrel,
  Pubcomp: PacketType.Pubcomp,
  Suback: PacketType.Suback,
  Unsuback: PacketType.Unsuback,
  Disconnect: PacketType.Disconnect,
  Auth: PacketType.Auth,
};
const ACKS = [Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback];
const FROM_BROKER = [Connack, Publish, ...ACKS, Disconnect, Auth];

/** Table 2-4 of the specification, by packet, without what only a client may send. */
const ALLOWED: ReadonlyMap<number, readonly number[]> = new Map([
  [Publish, [1, 2, 3, 8, 9, 11, 35, 38]],
  [Connack, [17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42]],
  ...ACKS.map((packet): [number, number[]] => [packet, [31, 38]]),
  [Disconnect, [28, 31, 38]],
  [Auth, [21, 22, 31, 38]],
]);

function open(packet: PacketType, bytes: readonly number[], behind: readonly number[] = []): [Reason, string[]] {
  const properties = createProperties();
  const all = Uint8Array.from([0xaa, ...bytes, ...behind]);
  const reason = propertiesOpen(properties, all, 1, all.length, packet);
  if (reason !== Reason.Success) return [reason, []];
  expect(properties.end).toBe(1 + bytes.length);
  return [reason, tellProperties(properties)];
}

function valid(id: number): number[] {
  return [...(VALID.get(id) ?? [])];
}

describe("the properties of a packet", () => {
  it("[MQTT5-3.14.2-2] may be those that the specification lists for it, and no others", () => {
    for (const packet of FROM_BROKER) {
      for (let id = 0; id < 256; id++) {
        const allowed = ALLOWED.get(packet)?.includes(id) === true;
        const value = VALID.has(id) ? valid(id) : [id, 0, 0, 0, 0];
        const [reason, told] = open(packet, section(value));
        expect([packet, id, reason]).toEqual([packet, id, allowed ? Reason.Success : Reason.MalformedPacket]);
        expect(told).toHaveLength(allowed ? 1 : 0);
      }
    }
  });

  it("are read in their order, with what follows them left alone", () => {
    const bytes = section(valid(2), valid(38), valid(9), valid(11), [38, ...text("name"), ...text("")], valid(8));
    expect(open(Publish, bytes, [1, 2, 3])).toEqual([
      Reason.Success,
      ["2 70000", "38 name=value", "9 \0\ufffd", "11 300", "38 name=", "8 answers/1"],
    ]);
  });

  it("[MQTT5-2.2.2-1] may be none", () => {
    expect(open(Publish, [0], [7])).toEqual([Reason.Success, []]);
    const properties = createProperties();
    propertiesNone(properties, Uint8Array.of(1), 1);
    expect(nextProperty(properties)).toBe(false);
  });

  it("may stand there once, but user properties and subscription identifiers as often as they like", () => {
    for (const packet of FROM_BROKER) {
      for (const id of ALLOWED.get(packet) ?? []) {
        const often = id === Property.UserProperty || id === Property.SubscriptionIdentifier;
        const [reason] = open(packet, section(valid(id), valid(38), valid(id)));
        expect([packet, id, reason]).toEqual([packet, id, often ? Reason.Success : Reason.ProtocolError]);
      }
    }
  });

  it("are malformed when they end at any other byte than they say", () => {
    for (const [id, value] of VALID) {
      const packet = FROM_BROKER.find((each) => ALLOWED.get(each)?.includes(id));
      if (packet === undefined) continue;
      for (let cut = 1; cut < value.length; cut++) {
        const short = value.slice(0, cut);
        // The section ends within the value, and then the packet does.
        expect([id, cut, open(packet, section(short), [...value.slice(cut)])[0]]).toEqual([id, cut, Reason.MalformedPacket]);
        const torn = section([...value]).slice(0, 1 + cut);
        expect([id, cut, open(packet, torn)[0]]).toEqual([id, cut, Reason.MalformedPacket]);
      }
      expect(open(packet, [])[0]).toBe(Reason.MalformedPacket);
    }
  });

  it("are a protocol error with a value that they must not have", () => {
    const wrong: [PacketType, number[]][] = [
      [Publish, [1, 2]],
      [Publish, [8, ...text("answers/+")]],
      [Publish, [8, ...text("#")]],
      [Publish, [8, ...text("")]],
      [Publish, [11, 0]],
      [Connack, [33, 0, 0]],
      [Connack, [36, 2]],
      [Connack, [37, 2]],
      [Connack, [39, 0, 0, 0, 0]],
      [Connack, [40, 2]],
      [Connack, [41, 255]],
      [Connack, [42, 3]],
    ];
    for (const [packet, value] of wrong) expect([value, open(packet, section(value))[0]]).toEqual([value, Reason.ProtocolError]);
  });

  it("[MQTT5-3.3.2-8] have no topic alias 0, which has a reason code of its own", () => {
    expect(open(Publish, section([35, 0, 0]))[0]).toBe(Reason.TopicAliasInvalid);
  });

  it("[MQTT5-1.5.4-1] [MQTT5-1.5.4-2] [MQTT5-1.5.7-1] [MQTT5-3.3.2-13] [MQTT5-3.3.2-19] hold well-formed text only", () => {
    const bad = [[0], [0x61, 0], [0xff], [0xed, 0xa0, 0x80], [0xc3]];
    const ends = (bytes: readonly number[]): number[] => [0, bytes.length, ...bytes];
    for (const bytes of bad) {
      for (const id of [3, 8]) expect(open(Publish, section([id, ...ends(bytes)]))[0]).toBe(Reason.MalformedPacket);
      for (const id of [18, 21, 26, 28, 31]) {
        expect(open(Connack, section([id, ...ends(bytes)]))[0]).toBe(Reason.MalformedPacket);
      }
      expect(open(Publish, section([38, ...ends(bytes), ...text("v")]))[0]).toBe(Reason.MalformedPacket);
      expect(open(Publish, section([38, ...text("n"), ...ends(bytes)]))[0]).toBe(Reason.MalformedPacket);
      // Data may be anything.
      expect(open(Publish, section([9, ...ends(bytes)]))[0]).toBe(Reason.Success);
    }
  });

  it("[MQTT5-1.5.4-3] keep a byte order mark", () => {
    expect(open(Publish, section([3, ...text("\ufeffa")]))[1]).toEqual(["3 \ufeffa"]);
  });

  it("[MQTT5-1.5.5-1] have lengths of 1 to 4 bytes, in as few as it goes", () => {
    const at = (...bytes: number[]): number => varyingAt(Uint8Array.from(bytes), 0, bytes.length);
    for (const value of [0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455]) expect(at(...varying(value))).toBe(value);
    expect(at(0x80, 0x80, 0x80, 0x80, 0x01)).toBe(-1);
    expect(at(0x80, 0x00)).toBe(-1);
    expect(at(0xff, 0x80, 0x00)).toBe(-1);
    expect(at(0x80)).toBe(-1);
    expect(at()).toBe(-1);
    expect(open(Publish, [0x80, 0x00])[0]).toBe(Reason.MalformedPacket);
    expect(open(Publish, section([11, 0x81, 0x00]))[0]).toBe(Reason.MalformedPacket);
  });

  it("tell numbers of four bytes as far as a chip can count", () => {
    const told = (value: number): string[] => open(Connack, section([17, ...u32(value)]))[1];
    expect(told(0)).toEqual(["17 0"]);
    expect(told(MOST)).toEqual([`17 ${MOST}`]);
    expect(told(0x80000000)).toEqual([`17 ${MOST}`]);
    expect(told(0xffffffff)).toEqual([`17 ${MOST}`]);
  });

  it("are found by their number", () => {
    const properties = createProperties();
    const bytes = Uint8Array.from(section(valid(38), valid(17), valid(33)));
    propertiesOpen(properties, bytes, 0, bytes.length, Connack);
    expect(findProperty(properties, Property.ReceiveMaximum)).toBe(true);
    expect(properties.value).toBe(10);
    expect(numberOf(properties, Property.SessionExpiry, -1)).toBe(3600);
    expect(numberOf(properties, Property.ServerKeepAlive, -1)).toBe(-1);
    expect(findProperty(properties, Property.ServerKeepAlive)).toBe(false);
  });
});
