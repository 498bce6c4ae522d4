/** Packets out of a stream of bytes, as mqtt-packet sees them: an oracle that shares nothing with the firmware. */
import { generate, type IPublishPacket, parser, type Packet } from "mqtt-packet";

/** The protocol level: 4 is MQTT 3.1.1. */
export type Level = 4 | 5;

/** A packet, and the bytes that it was. */
export interface Read {
  readonly packet: Packet;
  readonly bytes: Uint8Array;
}

export function write(packet: Packet, level: Level): Uint8Array {
  return Uint8Array.from(generate(packet, { protocolVersion: level }));
}

export function hex(bytes: ArrayLike<number>): string {
  return Buffer.from(Uint8Array.from(bytes)).toString("hex");
}

/** The length of the packet at the front of a stream, 0 when it is not whole. */
function packetLength(stream: readonly number[]): number {
  let remaining = 0;
  let factor = 1;
  for (let at = 1; at < stream.length; at++) {
    const byte = stream[at] ?? 0;
    remaining += (byte % 128) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    const length = at + 1 + remaining;
    return stream.length >= length ? length : 0;
  }
  return 0;
}

function decode(bytes: Uint8Array, level: Level): Packet {
  const found: Packet[] = [];
  const oracle = parser({ protocolVersion: level });
  oracle.on("packet", (packet) => found.push(packet));
  oracle.on("error", (error) => {
    throw new Error(`mqtt-packet refuses ${hex(bytes)}: ${String(error)}`);
  });
  oracle.parse(Buffer.from(bytes));
  const [packet] = found;
  if (packet === undefined || found.length !== 1) throw new Error(`${hex(bytes)} is not one packet`);
  // With properties, there are many ways to write the same.
  const again = hex(write(packet, level));
  if (level === 4 && again !== hex(bytes)) throw new Error(`mqtt-packet would write ${hex(bytes)} as ${again}`);
  return packet;
}

/** Takes the whole packets off the front of `stream`, and leaves there what is not whole yet. */
export function readWhole(stream: number[], level: Level): Read[] {
  const found: Read[] = [];
  for (let length = packetLength(stream); length > 0; length = packetLength(stream)) {
    const bytes = Uint8Array.from(stream.splice(0, length));
    found.push({ packet: decode(bytes, level), bytes });
  }
  return found;
}

export function idOf(packet: Packet): number {
  return packet.messageId ?? 0;
}

export function payloadOf(packet: IPublishPacket): string {
  return packet.payload.toString();
}
