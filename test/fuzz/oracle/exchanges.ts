/**
 * What becomes of messages at QoS 1 and 2, in all versions of the protocol. [MQTT 3.1.1 §4.3] An acknowledgement that
 * nobody waits for may be late, or come twice: it changes nothing.
 */
import { filtersOf, RECEIVING } from "../preludes";
import { matching } from "./topics";
import { hex, Sub, type World } from "./world";

export const PUBACK = 0x40;
export const PUBREC = 0x50;
export const PUBREL = 0x62;
export const PUBCOMP = 0x70;

/** What we answer. MQTT 5.0 has a reason code for an identifier that is not known. */
function answer(world: World, first: number, id: number, known = true): void {
  const reason = known || world.prelude.protocol !== 5 ? [] : [0x92];
  world.answers.push(hex([first, 2 + reason.length, id >> 8, id & 255, ...reason]));
}

export function puback(world: World, id: number): void {
  if (world.owed.get(id) !== 1) return;
  world.owed.delete(id);
  world.counts.acknowledged++;
}

/**
 * To a message that was sent on this link, and to every repetition, PUBREL is the answer; also to what we have never
 * sent, since that ends what the broker remembers of it. Of another message of ours, nothing is said: it waits for PUBACK,
 * or is yet to be sent on this link, and is answered again then.
 */
export function pubrec(world: World, id: number): void {
  const { owed, releases, held } = world;
  if (owed.get(id) === 2) {
    owed.delete(id);
    releases.push(id);
    answer(world, PUBREL, id);
  } else if (releases.includes(id)) {
    answer(world, PUBREL, id);
  } else if (!owed.has(id) && !held.some((each) => each.id === id)) {
    answer(world, PUBREL, id, false);
  }
}

export function pubcomp(world: World, id: number): void {
  if (!world.releases.includes(id)) return;
  world.releases = world.releases.filter((each) => each !== id);
  world.counts.acknowledged++;
}

export function pubrel(world: World, id: number): void {
  const known = world.received.includes(id);
  world.received = world.received.filter((each) => each !== id);
  answer(world, PUBCOMP, id, known);
}

/** Whether a message at QoS 2 was delivered before: as long as it is not released, it is not delivered again. */
export function isCopy({ received, certain }: World, id: number, dup: boolean): boolean {
  // MQTT 3.1 does not tell whether the session is the same: then what has no DUP is held to be new.
  return received.includes(id) && (certain || dup);
}

/** A message came that is well-formed. `oversize`: it does not fit, and is acknowledged all the same. */
export function publish(world: World, first: number, id: number, oversize: boolean, deliver: () => void): void {
  const { counts, certain } = world;
  const qos = (first >> 1) & 3;
  if (qos === 2) {
    if (isCopy(world, id, (first & 8) !== 0)) {
      counts.duplicates++;
      answer(world, PUBREC, id);
      return;
    }
    // What is new must not overtake what finds room on the next link.
    if (world.overrun) return;
    if (!world.received.includes(id)) {
      // What comes to a full list is of another session, if there may be another.
      if (world.received.length === RECEIVING && !certain) world.received.shift();
      if (world.received.length === RECEIVING) {
        counts.overruns++;
        world.overrun = true;
        return;
      }
      world.received.push(id);
    }
  }
  if (oversize) counts.oversize++;
  else deliver();
  if (qos > 0) answer(world, qos === 1 ? PUBACK : PUBREC, id);
}

/** Gives a message to whom it is for. */
export function deliver(world: World, first: number, topic: Uint8Array, payload: Uint8Array, properties: string): void {
  const { counts, subs, messages, prelude } = world;
  counts.received++;
  const heard = matching(topic).filter((i) => subs[i] !== Sub.Refused && subs[i] !== Sub.Off);
  if (heard.length === 0) counts.unmatched++;
  const said = `${first & 15} ${hex(topic)} ${hex(payload)}${properties}`;
  for (const i of heard) messages.push(`${filtersOf(prelude)[i]?.filter ?? ""} ${said}`);
}

/**
 * A session begins. One that goes on owes its PUBRELs again, before anything else; of one that is lost, what was sent at
 * QoS 2 is given up, and what was sent at QoS 1 is new. `unknown`: MQTT 3.1 does not say which it is.
 */
export function sessionBegins(world: World, present: boolean, unknown: boolean): void {
  const { prelude, subs, counts } = world;
  world.online = true;
  if (present || unknown) {
    if (unknown) {
      world.certain = false;
      for (const [i, sub] of subs.entries()) if (sub === Sub.Granted) subs[i] = Sub.Wanted;
    } else if (world.received.length === 0) {
      world.certain = true;
    }
    for (const id of world.releases) answer(world, PUBREL, id);
  } else {
    const discarded = world.releases.length + world.held.filter(({ qos }) => qos === 2).length;
    world.held = world.held.filter(({ qos }) => qos === 1);
    for (const each of world.held) each.dup = false;
    world.releases = [];
    world.received = [];
    for (const i of subs.keys()) subs[i] = Sub.Wanted;
    if (prelude.exactlyOnce !== undefined) counts.discarded += discarded;
    if (prelude.resumed === true) world.told.push(`lost ${discarded}`);
  }
  world.told.push(`online ${present}`);
}
