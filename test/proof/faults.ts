/** Faults, as they were seen in clients, planted into a world that is otherwise right: the harnesses must find each. */
import { type Client } from "../../firmware/mqtt/client-state";
import { idListClear } from "../../firmware/mqtt/exactly-once/id-list";
import { queueClear } from "../../hal/node/native";
import { type World } from "../firmware/mqtt/model/world";
import { type Fault } from "./fault";

const PUBLISH = 3;
const PUBACK = 4;
const PUBREC = 5;
const PUBREL = 6;
const PUBCOMP = 7;

function typeOf(packet: readonly number[]): number {
  return (packet[0] ?? 0) >> 4;
}

function qosOf(packet: readonly number[]): number {
  return ((packet[0] ?? 0) >> 1) & 3;
}

/** The length of the first packet of a stream, which all are shorter than 128 bytes here; 0 when it is not whole. */
function wholeLength(stream: readonly number[]): number {
  const length = 2 + (stream[1] ?? stream.length);
  return stream.length >= length ? length : 0;
}

/** Puts other packets in the place of those that the client says. */
function onSaying(world: World, change: (packet: number[]) => number[]): void {
  const { wire } = world;
  const take = wire.take.bind(wire);
  const down = wire.down.bind(wire);
  const stream: number[] = [];
  wire.take = (most, piece, limit) => {
    stream.push(...take(most, piece, limit));
    const out: number[] = [];
    for (let length = wholeLength(stream); length > 0; length = wholeLength(stream)) {
      out.push(...change(stream.splice(0, length)));
    }
    return out;
  };
  wire.down = (loss) => {
    stream.length = 0;
    down(loss);
  };
}

/** Gives the client other packets than have come. */
function onHearing(client: Client, change: (first: number, count: number) => readonly [first: number, count: number]): void {
  const { events } = client.reader;
  const packet = events.packet.bind(events);
  events.packet = (now, first, bytes, at, count) => {
    const [newFirst, newCount] = change(first, count);
    packet(now, newFirst, bytes, at, newCount);
  };
}

function onPublish(world: World, change: (packet: number[]) => number[]): void {
  onSaying(world, (packet) => (typeOf(packet) === PUBLISH ? change(packet) : packet));
}

/** `[first, …rest]` with another first byte. */
function withFirst(packet: readonly number[], first: number): number[] {
  return [first, ...packet.slice(1)];
}

export const faults: readonly Fault[] = [
  {
    name: "DUP is left out when a message is sent again",
    plant: (world) => onPublish(world, (packet) => withFirst(packet, (packet[0] ?? 0) & ~8)),
    complaint: /no DUP in PUBLISH/,
  },
  {
    name: "DUP is set in what was never sent",
    plant: (world) => onPublish(world, (packet) => (qosOf(packet) === 0 ? packet : withFirst(packet, (packet[0] ?? 0) | 8))),
    complaint: /DUP in PUBLISH \d+, which was not sent before/,
  },
  {
    name: "a message is sent again on a live link",
    plant: (world) =>
      onPublish(world, (packet) => (qosOf(packet) === 0 ? packet : [...packet, ...withFirst(packet, (packet[0] ?? 0) | 8)])),
    complaint: /PUBLISH \d+ twice on one link/,
  },
  {
    name: "acknowledgements are left out",
    plant: (world) => onSaying(world, (packet) => (typeOf(packet) === PUBACK ? [] : packet)),
    complaint: /owes PUBACK|never end|does not come to rest/,
  },
  {
    name: "acknowledgements go in another order",
    plant(world) {
      const held: number[] = [];
      onSaying(world, (packet) => {
        if (typeOf(packet) !== PUBACK) return packet;
        if (held.length > 0) return [...packet, ...held.splice(0)];
        held.push(...packet);
        return [];
      });
    },
    complaint: /PUBACK \d+ out of turn/,
  },
  {
    name: "what waits is forgotten with its link",
    plant(world) {
      const { wire, client } = world;
      const down = wire.down.bind(wire);
      wire.down = (loss) => {
        down(loss);
        queueClear(client.outboxQueue);
      };
    },
    complaint: /to the broker: lost|owes PUBLISH/,
  },
  {
    name: "identifiers are given again before they are free",
    plant: (world) =>
      onPublish(world, (packet) => {
        const at = 4 + (packet[3] ?? 0);
        return qosOf(packet) === 0 ? packet : [...packet.slice(0, at), 0, 1, ...packet.slice(at + 2)];
      }),
    complaint: /twice on one link|another message than before|takes identifier/,
  },
  {
    name: "the last byte of a message is not sent",
    plant: (world) => onPublish(world, (packet) => [packet[0] ?? 0, (packet[1] ?? 0) - 1, ...packet.slice(2, -1)]),
    complaint: /lost|made up/,
  },
  {
    name: "the last byte of a message is not delivered",
    plant: ({ client }) => onHearing(client, (first, count) => [first, first >> 4 === PUBLISH && count > 7 ? count - 1 : count]),
    complaint: /to the client: (lost|made up)/,
  },
  {
    name: "a message at QoS 1 is taken for one at QoS 0",
    plant: ({ client }) => onHearing(client, (first, count) => [first >> 4 === PUBLISH ? first & ~0x0a : first, count]),
    complaint: /made up|owes PUBACK/,
  },
  {
    name: "a release is forgotten with its link",
    plant(world) {
      const { wire, client } = world;
      const down = wire.down.bind(wire);
      wire.down = (loss) => {
        down(loss);
        if (client.exactlyOnce !== undefined) client.exactlyOnce.releases.count = 0;
      };
    },
    complaint: /owes PUBREL|never released|window never/,
  },
  {
    name: "PUBREL goes before its PUBREC has come, instead of the message again",
    plant: (world) =>
      onPublish(world, (packet) => {
        const again = qosOf(packet) === 2 && ((packet[0] ?? 0) & 8) !== 0;
        const at = 4 + (packet[3] ?? 0);
        return again ? [0x62, 2, ...packet.slice(at, at + 2)] : packet;
      }),
    complaint: /PUBREL \d+ out of turn|lost/,
  },
  {
    name: "a message at QoS 2 is sent again after its PUBREC",
    plant(world) {
      const sent = new Map<string, number[]>();
      onSaying(world, (packet) => {
        const at = 4 + (packet[3] ?? 0);
        if (typeOf(packet) === PUBLISH && qosOf(packet) === 2) sent.set(packet.slice(at, at + 2).join(), packet);
        if (typeOf(packet) !== PUBREL) return packet;
        const message = sent.get(packet.slice(2).join());
        sent.clear();
        return message === undefined ? packet : [...withFirst(message, (message[0] ?? 0) | 8), ...packet];
      });
    },
    complaint: /PUBLISH \d+ after its PUBREC/,
  },
  {
    name: "copies at QoS 2 are delivered",
    plant({ client }) {
      const { exactlyOnce } = client;
      if (exactlyOnce === undefined) return;
      const isNew = exactlyOnce.isNew;
      exactlyOnce.isNew = (given, flags, id) => {
        idListClear(exactlyOnce.received);
        return isNew(given, flags, id);
      };
    },
    complaint: /to the client: twice/,
  },
  {
    name: "PUBREC is left out",
    plant: (world) => onSaying(world, (packet) => (typeOf(packet) === PUBREC ? [] : packet)),
    complaint: /owes PUBREC/,
  },
  {
    name: "PUBCOMP is left out",
    plant: (world) => onSaying(world, (packet) => (typeOf(packet) === PUBCOMP ? [] : packet)),
    complaint: /owes PUBCOMP/,
  },
  {
    name: "releases go in another order after a lost link",
    plant(world) {
      const { wire, client } = world;
      const down = wire.down.bind(wire);
      wire.down = (loss) => {
        down(loss);
        const releases = client.exactlyOnce?.releases;
        if (releases === undefined) return;
        const ids = Array.from({ length: releases.count }, (_, i) => [releases.bytes[2 * i] ?? 0, releases.bytes[2 * i + 1] ?? 0]);
        for (const [i, byte] of ids.reverse().flat().entries()) releases.bytes[i] = byte;
      };
    },
    complaint: /PUBREL \d+ out of turn/,
  },
  {
    name: "a message of MQTT 5.0 does not say that it has no properties",
    plant: (world) =>
      onPublish(world, (packet) => {
        const at = 4 + (packet[3] ?? 0) + (qosOf(packet) === 0 ? 0 : 2);
        if (world.client.five === undefined) return packet;
        return [packet[0] ?? 0, (packet[1] ?? 0) - 1, ...packet.slice(2, at), ...packet.slice(at + 1)];
      }),
    complaint: /mqtt-packet refuses|lost|made up/,
  },
  {
    name: "a message of MQTT 5.0 at QoS 1 or 2 has an alias and no topic",
    plant: (world) =>
      onPublish(world, (packet) => {
        const length = packet[3] ?? 0;
        if (world.client.five === undefined || qosOf(packet) === 0) return packet;
        const id = packet.slice(4 + length, 6 + length);
        const payload = packet.slice(7 + length);
        return [packet[0] ?? 0, 8 + payload.length, 0, 0, ...id, 3, 35, 0, 1, ...payload];
      }),
    complaint: /lost|made up/,
  },
  {
    name: "a packet is cut in the middle",
    plant(world) {
      let number = 0;
      onPublish(world, (packet) => (++number === 2 ? packet.slice(0, -2) : packet));
    },
    complaint: /mqtt-packet|lost|CONNECT|owes the rest|throws/,
  },
];
