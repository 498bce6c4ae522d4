/**
 * What a client must make of a stream, worked out a second time: strictly after MQTT 3.1.1, all at once instead of byte by
 * byte, and sharing nothing with the firmware. Where the specification leaves a choice, the client's is noted.
 */
import { filters, type Prelude, RECEIVE_SIZE, SUBSCRIBE_ID } from "./preludes";

export interface Verdict {
  /** What becomes of the link: it stays, the broker has refused us, or it has broken the protocol. */
  readonly end: "open" | "refused" | "violation";
  /** Which packet of the stream ended it, from 0, and what was wrong. */
  readonly because: string;
  /** What handlers are given: the filter, the flags, the topic and the payload in hex. */
  readonly messages: readonly string[];
  /** The identifiers that are acknowledged, in order. */
  readonly pubacks: readonly number[];
  /** Counters. */
  readonly received: number;
  readonly oversize: number;
  readonly unmatched: number;
  readonly acknowledged: number;
  readonly refusedFilters: number;
}

const enum Sub {
  Asked,
  Granted,
  Refused,
  Leaving,
  Off,
}

interface World {
  readonly prelude: Prelude;
  online: boolean;
  readonly subs: Sub[];
  subscribeId: number;
  unsubscribeId: number;
  readonly owed: Set<number>;
  readonly messages: string[];
  readonly pubacks: number[];
  received: number;
  oversize: number;
  unmatched: number;
  acknowledged: number;
  refusedFilters: number;
}

/** Why the link is ended by a packet; nothing when it is not. */
type Complaint = string | undefined;

const REFUSED = "refused";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isTopic(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.includes(0) || bytes.includes(0x23) || bytes.includes(0x2b)) return false;
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The two filters there are, matched by hand. */
function matching(topic: string): number[] {
  const found: number[] = [];
  if (/^a\/[^/]*$/s.test(topic)) found.push(0);
  if (/^b(\/.*)?$/s.test(topic)) found.push(1);
  return found;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

function connack(world: World, first: number, body: Uint8Array): Complaint {
  if (first !== 0x20) return "flags of CONNACK";
  const [flags = 0, code = 0] = body;
  if (body.length !== 2) return "length of CONNACK";
  if (flags > 1) return "reserved flags in CONNACK";
  if (flags === 1 && (code !== 0 || world.prelude.clean)) return "session present where there is none";
  if (code !== 0) return REFUSED;
  world.online = true;
  return undefined;
}

function publish(world: World, first: number, body: Uint8Array): Complaint {
  const qos = (first >> 1) & 3;
  if (qos > 1) return "a QoS that was not asked for";
  if (qos === 0 && (first & 8) !== 0) return "DUP at QoS 0";
  const idAt = 2 + u16(body, 0);
  const payloadAt = qos === 0 ? idAt : idAt + 2;
  if (body.length < 2 || payloadAt > body.length) return "length of PUBLISH";
  const topic = body.subarray(2, idAt);
  const oversize = body.length > RECEIVE_SIZE;
  // Of a message that is read over, the client sees what fits in its buffer.
  const seen = !oversize || topic.length <= RECEIVE_SIZE - 2;
  if (seen ? !isTopic(topic) : topic.length === 0) return "topic of PUBLISH";
  const id = qos === 0 ? 1 : u16(body, idAt);
  if (id === 0) return "identifier 0";
  if (oversize) world.oversize++;
  else deliver(world, first, topic, body.subarray(payloadAt));
  if (qos === 1) world.pubacks.push(id);
  return undefined;
}

function deliver(world: World, first: number, topic: Uint8Array, payload: Uint8Array): void {
  world.received++;
  const heard = matching(Buffer.from(topic).toString("latin1")).filter((i) => {
    const sub = world.subs[i];
    return sub !== Sub.Refused && sub !== Sub.Off;
  });
  if (heard.length === 0) world.unmatched++;
  const said = `${first & 15} ${Buffer.from(topic).toString("hex")} ${Buffer.from(payload).toString("hex")}`;
  for (const i of heard) world.messages.push(`${filters[i]?.filter ?? ""} ${said}`);
}

function puback(world: World, first: number, body: Uint8Array): Complaint {
  if (first !== 0x40) return "flags of PUBACK";
  if (body.length !== 2) return "length of PUBACK";
  if (u16(body, 0) === 0) return "identifier 0";
  // One that nobody waits for may be late, or come twice: it is passed over.
  if (world.owed.delete(u16(body, 0))) world.acknowledged++;
  return undefined;
}

function suback(world: World, first: number, body: Uint8Array): Complaint {
  if (first !== 0x90) return "flags of SUBACK";
  if (body.length < 3) return "length of SUBACK";
  if (u16(body, 0) === 0) return "identifier 0";
  if (body.subarray(2).some((code) => code > 2 && code !== 128)) return "reserved codes in SUBACK";
  if (world.subscribeId === 0 || u16(body, 0) !== world.subscribeId) return undefined;
  const codes = body.subarray(2);
  if (codes.length !== filters.length) return "codes of SUBACK";
  for (const [i, code] of codes.entries()) {
    if (code !== 128 && code > (filters[i]?.qos ?? 0)) return "codes of SUBACK";
  }
  for (const [i, code] of codes.entries()) {
    world.subs[i] = code === 128 ? Sub.Refused : Sub.Granted;
    if (code === 128) world.refusedFilters++;
  }
  world.subscribeId = 0;
  return undefined;
}

function unsuback(world: World, first: number, body: Uint8Array): Complaint {
  if (first !== 0xb0) return "flags of UNSUBACK";
  if (body.length !== 2) return "length of UNSUBACK";
  if (u16(body, 0) === 0) return "identifier 0";
  if (world.unsubscribeId === 0 || u16(body, 0) !== world.unsubscribeId) return undefined;
  world.unsubscribeId = 0;
  world.subs[1] = Sub.Off;
  return undefined;
}

function packet(world: World, first: number, body: Uint8Array): Complaint {
  const type = first >> 4;
  if (!world.online) return type === 2 ? connack(world, first, body) : "not CONNACK";
  switch (type) {
    case 3:
      return publish(world, first, body);
    case 4:
      return puback(world, first, body);
    case 9:
      return suback(world, first, body);
    case 11:
      return unsuback(world, first, body);
    case 13:
      return first === 0xd0 && body.length === 0 ? undefined : "PINGRESP";
    default:
      return `packet type ${type}`;
  }
}

interface Framed {
  readonly first: number;
  readonly bodyAt: number;
  readonly length: number;
}

/** The fixed header at `at`; undefined while it is not whole, a complaint when it never will be one. */
function frame(bytes: Uint8Array, at: number): Framed | string | undefined {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + 1 + i];
    if (byte === undefined) return undefined;
    length += (byte & 127) * 128 ** i;
    if (byte < 128) return { first: bytes[at] ?? 0, bodyAt: at + 2 + i, length };
  }
  return "a remaining length of five bytes";
}

/** A packet that is not there whole can be wrong already. */
function tooLong({ first, length }: Framed): Complaint {
  return first >> 4 !== 3 && length > RECEIVE_SIZE ? "longer than any packet for us" : undefined;
}

function begin(prelude: Prelude): World {
  const granted = prelude.granted;
  const subs: Sub[] = filters.map((_filter, i) => (granted === undefined ? Sub.Asked : granted[i] === 128 ? Sub.Refused : Sub.Granted));
  if (prelude.leaving === true) subs[1] = Sub.Leaving;
  const ids = Array.from({ length: prelude.published }, (_, i) => SUBSCRIBE_ID + 1 + i);
  return {
    prelude,
    online: prelude.online,
    subs,
    subscribeId: prelude.online && granted === undefined ? SUBSCRIBE_ID : 0,
    unsubscribeId: prelude.leaving === true ? SUBSCRIBE_ID + 1 + prelude.published : 0,
    owed: new Set(ids),
    messages: [],
    pubacks: [],
    received: 0,
    oversize: 0,
    unmatched: 0,
    acknowledged: 0,
    refusedFilters: 0,
  };
}

/** What is to become of a client after this prelude that is given these bytes. */
export function judge(prelude: Prelude, bytes: Uint8Array): Verdict {
  const world = begin(prelude);
  let at = 0;
  for (let number = 0; ; number++) {
    const framed = at < bytes.length ? frame(bytes, at) : undefined;
    if (framed === undefined) return { ...world, end: "open", because: "" };
    if (typeof framed === "string") return { ...world, end: "violation", because: `packet ${number}: ${framed}` };
    const end = framed.bodyAt + framed.length;
    const whole = end <= bytes.length;
    const complaint =
      tooLong(framed) ?? (whole ? packet(world, framed.first, bytes.subarray(framed.bodyAt, end)) : undefined);
    if (complaint === REFUSED) return { ...world, end: "refused", because: `packet ${number}` };
    if (complaint !== undefined) return { ...world, end: "violation", because: `packet ${number}: ${complaint}` };
    if (!whole) return { ...world, end: "open", because: "" };
    at = end;
  }
}
