/** The properties of MQTT 5.0: what there is, what it looks like, and which packets of a broker may have it. [§2.2.2] */
import { hasWildcard, isText } from "./topics";
import { complain, hex, MALFORMED, PROTOCOL_ERROR, u16, type World } from "./world";

export interface Property {
  readonly id: number;
  /** What it says, if that is a number; or a text or data, and behind a name the value. */
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
}

export interface Section {
  readonly properties: readonly Property[];
  /** Where the packet goes on behind it. */
  readonly end: number;
}

type Kind = "flag" | "u16" | "u32" | "varying" | "text" | "data" | "pair";

/** A reason code for a value that must not be, where there is a better one. */
const TOPIC_ALIAS_INVALID = 0x94;

const ACKS = [4, 5, 6, 7, 9, 11];

/** [MQTT 5.0 §2.2.2.2, table 2-4], as far as brokers send them. */
const table = new Map<number, readonly [kind: Kind, packets: readonly number[]]>([
  [1, ["flag", [3]]],
  [2, ["u32", [3]]],
  [3, ["text", [3]]],
  [8, ["text", [3]]],
  [9, ["data", [3]]],
  [11, ["varying", [3]]],
  [17, ["u32", [2]]],
  [18, ["text", [2]]],
  [19, ["u16", [2]]],
  [21, ["text", [2, 15]]],
  [22, ["data", [2, 15]]],
  [26, ["text", [2]]],
  [28, ["text", [2, 14]]],
  [31, ["text", [2, ...ACKS, 14, 15]]],
  [33, ["u16", [2]]],
  [34, ["u16", [2]]],
  [35, ["u16", [3]]],
  [36, ["flag", [2]]],
  [37, ["flag", [2]]],
  [38, ["pair", [2, 3, ...ACKS, 14, 15]]],
  [39, ["u32", [2]]],
  [40, ["flag", [2]]],
  [41, ["flag", [2]]],
  [42, ["flag", [2]]],
]);

/** Those that may stand there more than once. */
const repeatable = [11, 38];
/** Those that must not be 0. */
const positive = [11, 33, 39];

/** A number of 7 bits a byte, and where it ends; undefined when it is none. [MQTT 5.0 §1.5.5] */
function varying(bytes: Uint8Array, at: number, end: number): readonly [number: number, end: number] | undefined {
  let number = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined || at + i >= end) return undefined;
    number += (byte & 127) * 128 ** i;
    if (byte < 128) return i > 0 && byte === 0 ? undefined : [number, at + i + 1];
  }
  return undefined;
}

/** What follows two bytes of length; undefined when it does not end in time. */
function span(bytes: Uint8Array, at: number, end: number): Uint8Array | undefined {
  if (at + 2 > end || at + 2 + u16(bytes, at) > end) return undefined;
  return bytes.subarray(at + 2, at + 2 + u16(bytes, at));
}

const none = new Uint8Array(0);

/** The value behind `id`, and where it ends; undefined when it does not end in time, or what it is cannot be told. */
function read(kind: Kind, id: number, bytes: Uint8Array, at: number, end: number): readonly [Property, number] | undefined {
  const ofNumber = (number: number, next: number): readonly [Property, number] | undefined =>
    next > end ? undefined : [{ id, number, bytes: none, value: none }, next];
  switch (kind) {
    case "flag":
      return ofNumber(bytes[at] ?? 0, at + 1);
    case "u16":
      return ofNumber(u16(bytes, at), at + 2);
    case "u32":
      return ofNumber(u16(bytes, at) * 65536 + u16(bytes, at + 2), at + 4);
    case "varying": {
      const found = varying(bytes, at, end);
      return found === undefined ? undefined : ofNumber(...found);
    }
    case "text":
    case "data": {
      const found = span(bytes, at, end);
      return found === undefined ? undefined : [{ id, number: 0, bytes: found, value: none }, at + 2 + found.length];
    }
    case "pair": {
      const name = span(bytes, at, end);
      const value = name === undefined ? undefined : span(bytes, at + 2 + name.length, end);
      if (name === undefined || value === undefined) return undefined;
      return [{ id, number: 0, bytes: name, value }, at + 4 + name.length + value.length];
    }
  }
}

/** What is wrong with the value itself. */
function checkValue(world: World, kind: Kind, { id, number, bytes, value }: Property): void {
  if ((kind === "text" || kind === "pair") && !(isText(bytes) && isText(value))) complain(world, MALFORMED, `text of property ${id}`);
  // The specification does not say which of the two it is.
  if (kind === "flag" && number > 1) {
    complain(world, PROTOCOL_ERROR, `a flag that is ${number}`);
    complain(world, MALFORMED, `a flag that is ${number}`);
  }
  if (positive.includes(id) && number === 0) complain(world, PROTOCOL_ERROR, `property ${id} is 0`);
  if (id === 35 && number === 0) complain(world, TOPIC_ALIAS_INVALID, "topic alias 0");
  if (id === 8 && (bytes.length === 0 || hasWildcard(bytes))) complain(world, PROTOCOL_ERROR, "response topic");
}

/** The properties that begin, with their length, at `at` of the body of a packet; undefined when they do not fit in there. */
export function readProperties(world: World, packet: number, body: Uint8Array, at: number): Section | undefined {
  const length = varying(body, at, body.length);
  if (length === undefined || length[1] + length[0] > body.length) {
    complain(world, MALFORMED, "length of properties");
    return undefined;
  }
  const properties: Property[] = [];
  const end = length[1] + length[0];
  for (let next = length[1]; next < end; ) {
    const id = body[next] ?? 0;
    const [kind, packets] = table.get(id) ?? [];
    const found = kind === undefined ? undefined : read(kind, id, body, next + 1, end);
    if (kind === undefined || found === undefined || packets?.includes(packet) !== true) {
      complain(world, MALFORMED, `property ${id} in packet type ${packet}`);
      // [MQTT5-3.14.2-2] does not say which of the two it is.
      if (id === 17 && packet === 14) complain(world, PROTOCOL_ERROR, "session expiry in DISCONNECT");
    }
    // What it is cannot be told, so where the next one begins cannot be, either.
    if (kind === undefined || found === undefined) return undefined;
    const [property] = found;
    checkValue(world, kind, property);
    if (!repeatable.includes(id) && properties.some((each) => each.id === id)) complain(world, PROTOCOL_ERROR, `property ${id} twice`);
    properties.push(property);
    next = found[1];
  }
  return { properties, end };
}

export function find(section: Section | undefined, id: number): Property | undefined {
  return section?.properties.find((each) => each.id === id);
}

/** The largest number that the client tells. What is above counts as this. */
const MOST = 2147483647;

/** What an application sees of it: number and value, in hex where it is no number. */
export function describe({ id, number, bytes, value }: Property): string {
  const kind = table.get(id)?.[0];
  if (kind === "pair") return ` ${id}:${hex(bytes)}=${hex(value)}`;
  return kind === "text" || kind === "data" ? ` ${id}:${hex(bytes)}` : ` ${id}:${Math.min(number, MOST)}`;
}
