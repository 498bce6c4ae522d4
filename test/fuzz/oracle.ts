/**
 * What a client must make of a stream, worked out a second time: strictly after the specifications, all at once instead of
 * byte by byte, and sharing nothing with the firmware. Where a specification leaves a choice, the client's is noted.
 *
 *     frame.ts        packets in the stream
 *     three.ts        the packets of MQTT 3.1 and 3.1.1
 *     five.ts         those of MQTT 5.0, and in properties.ts what they carry
 *     exchanges.ts    what becomes of messages and their acknowledgements, in all of them
 *     topics.ts       texts, topics, and who hears them
 */
import { packetOfFive, PACKET_TOO_LARGE } from "./oracle/five";
import { type Framed, frame } from "./oracle/frame";
import { packetOfThree } from "./oracle/three";
import { complain, createWorld, MALFORMED, ownPackets, Sub, type Verdict, type World } from "./oracle/world";
import { filtersOf, type Prelude, RECEIVE_SIZE } from "./preludes";

export { type Counts, type Verdict } from "./oracle/world";

/** The reason code that gives no reason. */
const UNSPECIFIED = 0x80;

function isPublish({ first }: Framed): boolean {
  return first >> 4 === 3;
}

/** A packet that is not there whole can be wrong already. */
function checkHeader(world: World, framed: Framed): void {
  const { length, minimal } = framed;
  if (world.prelude.protocol === 5 && !minimal) complain(world, MALFORMED, "a length that takes more bytes than it needs");
  // No other packet for us needs more than the client can gather.
  if (!isPublish(framed) && length > RECEIVE_SIZE) complain(world, PACKET_TOO_LARGE, "longer than any packet for us");
}

/** Whether a packet is larger than the client has told the broker in MQTT 5.0. [MQTT 5.0 §3.1.2.11.4] */
function isTooLarge({ prelude }: World, { length }: Framed, end: number, at: number): boolean {
  if (prelude.protocol !== 5) return false;
  return prelude.largest === undefined ? length > RECEIVE_SIZE : end - at > prelude.largest;
}

function readPacket(world: World, framed: Framed, body: Uint8Array): void {
  if (world.prelude.protocol === 5) packetOfFive(world, framed.first, body);
  else packetOfThree(world, framed.first, body);
}

/** Reads the packet at `at`, if it is there whole or wrong anyway. Gives where it ends; undefined when it is not whole. */
function step(world: World, bytes: Uint8Array, at: number): number | undefined {
  const framed = at < bytes.length ? frame(bytes, at) : undefined;
  if (framed === undefined) return undefined;
  if (typeof framed === "string") {
    complain(world, MALFORMED, framed);
    return undefined;
  }
  checkHeader(world, framed);
  const end = framed.bodyAt + framed.length;
  if (world.wrongs.length > 0 || end > bytes.length) return undefined;
  if (isTooLarge(world, framed, end, at)) complain(world, PACKET_TOO_LARGE, "larger than we take");
  readPacket(world, framed, bytes.subarray(framed.bodyAt, end));
  return end;
}

/** What is to become of a client after this prelude that is given these bytes. */
export function judge(prelude: Prelude, bytes: Uint8Array): Verdict {
  const world = createWorld(prelude);
  let number = 0;
  for (let at: number | undefined = 0; ; number++) {
    at = step(world, bytes, at);
    if (at === undefined || world.wrongs.length > 0 || world.end !== "open") break;
  }
  return verdictOf(world, number);
}

/** What is to be seen of a client in this world, whose last packet was this one. */
export function verdictOf(world: World, number: number): Verdict {
  const { prelude, wrongs, messages, told, answers, counts, grants, subs, online } = world;
  const own = world.end === "open" && world.overrun ? "full" : world.end;
  const end = wrongs.length > 0 ? "violation" : own;
  const codes = end === "not authentic" ? [UNSPECIFIED] : wrongs.map(({ code }) => code);
  return {
    end,
    messages,
    told,
    answers,
    counts,
    because: end === "open" ? "" : `packet ${number}: ${wrongs.map(({ why }) => why).join(", ")}`,
    codes: prelude.protocol === 5 ? codes : [],
    own: ownPackets(world),
    wanted: filtersOf(prelude).flatMap(({ filter }, i) => (online && subs[i] === Sub.Wanted ? [filter] : [])),
    largest: grants.largest,
    wildcards: grants.wildcards,
  };
}
