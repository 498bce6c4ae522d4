/** The packets of MQTT 3.1 and 3.1.1. Where the specification leaves a choice, the client's is noted. */
import { filtersOf, RECEIVE_SIZE } from "../preludes";
import * as exchanges from "./exchanges";
import { deliver, sessionBegins } from "./exchanges";
import { isTopic } from "./topics";
import { complain, PROTOCOL_ERROR, Sub, u16, type World } from "./world";

/** In these, nobody is told why the link ends. */
function wrong(world: World, why: string): void {
  complain(world, PROTOCOL_ERROR, why);
}

/** MQTT 3.1 gives flags no meaning, and ignores what the broker's have. [MQTT 3.1 §2.1] */
function checkFlags(world: World, name: string, first: number, right: number): void {
  if (world.prelude.protocol === 4 && first !== right) wrong(world, `flags of ${name}`);
}

function connack(world: World, first: number, body: Uint8Array): void {
  const { protocol, clean } = world.prelude;
  const [flags = 0, code = 0] = body;
  const present = flags === 1 && protocol === 4;
  checkFlags(world, "CONNACK", first, 0x20);
  if (body.length !== 2) wrong(world, "length of CONNACK");
  if (protocol === 4 && flags > 1) wrong(world, "reserved flags in CONNACK");
  if (present && (code !== 0 || clean)) wrong(world, "session present where there is none");
  if (world.wrongs.length > 0) return;
  if (code !== 0) world.end = "refused";
  else sessionBegins(world, present, protocol === 3 && !clean);
}

function publish(world: World, first: number, body: Uint8Array): void {
  const qos = (first >> 1) & 3;
  if (qos > (world.prelude.exactlyOnce === undefined ? 1 : 2)) wrong(world, "a QoS that was not asked for");
  if (qos === 0 && (first & 8) !== 0) wrong(world, "DUP at QoS 0");
  const idAt = 2 + u16(body, 0);
  const payloadAt = qos === 0 ? idAt : idAt + 2;
  if (body.length < 2 || payloadAt > body.length) {
    wrong(world, "length of PUBLISH");
    return;
  }
  const topic = body.subarray(2, idAt);
  const oversize = body.length > RECEIVE_SIZE;
  // Of a message that is read over, the client sees what fits in its buffer.
  const seen = !oversize || topic.length <= RECEIVE_SIZE - 2;
  if (seen ? !isTopic(topic) : topic.length === 0) wrong(world, "topic of PUBLISH");
  const id = qos === 0 ? 0 : u16(body, idAt);
  if (qos > 0 && id === 0) wrong(world, "identifier 0");
  if (world.wrongs.length > 0) return;
  exchanges.publish(world, first, id, oversize, () => deliver(world, first, topic, body.subarray(payloadAt), ""));
}

const names = ["", "", "", "", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "", "", "", "UNSUBACK"] as const;

/** The packets that are an identifier and nothing else. */
function acknowledgement(world: World, first: number, body: Uint8Array): void {
  const type = first >> 4;
  const name = names[type] ?? "";
  const ofQos2 = type >= 5 && type <= 7;
  if (ofQos2 && world.prelude.exactlyOnce === undefined) {
    wrong(world, `packet type ${type}, which was not asked for`);
    return;
  }
  checkFlags(world, name, first, type === 6 ? exchanges.PUBREL : type * 16);
  if (body.length !== 2) wrong(world, `length of ${name}`);
  else if (u16(body, 0) === 0) wrong(world, "identifier 0");
  if (world.wrongs.length > 0) return;
  const id = u16(body, 0);
  if (type === 4) exchanges.puback(world, id);
  else if (type === 5) exchanges.pubrec(world, id);
  else if (type === 6) exchanges.pubrel(world, id);
  else if (type === 7) exchanges.pubcomp(world, id);
  else unsuback(world, id);
}

function unsuback(world: World, id: number): void {
  if (world.unsubscribeId === 0 || id !== world.unsubscribeId) return;
  world.unsubscribeId = 0;
  world.subs[1] = Sub.Off;
}

function suback(world: World, first: number, body: Uint8Array): void {
  const codes = body.subarray(2);
  checkFlags(world, "SUBACK", first, 0x90);
  if (body.length < 3) wrong(world, "length of SUBACK");
  if (u16(body, 0) === 0) wrong(world, "identifier 0");
  if (codes.some((code) => code > 2 && code !== 128)) wrong(world, "reserved codes in SUBACK");
  if (world.wrongs.length > 0 || world.subscribeId === 0 || u16(body, 0) !== world.subscribeId) return;
  const filters = filtersOf(world.prelude);
  const fits = codes.length === filters.length && codes.every((code, i) => code === 128 || code <= (filters[i]?.qos ?? 0));
  if (!fits) {
    wrong(world, "codes of SUBACK");
    return;
  }
  for (const [i, code] of codes.entries()) {
    world.subs[i] = code === 128 ? Sub.Refused : Sub.Granted;
    if (code === 128) world.counts.subscriptionsRefused++;
  }
  world.subscribeId = 0;
}

export function packetOfThree(world: World, first: number, body: Uint8Array): void {
  const type = first >> 4;
  if (!world.online) {
    if (type === 2) connack(world, first, body);
    else wrong(world, "not CONNACK");
    return;
  }
  switch (type) {
    case 3:
      publish(world, first, body);
      return;
    case 4:
    case 5:
    case 6:
    case 7:
    case 11:
      acknowledgement(world, first, body);
      return;
    case 9:
      suback(world, first, body);
      return;
    case 13:
      checkFlags(world, "PINGRESP", first, 0xd0);
      if (body.length > 0) wrong(world, "length of PINGRESP");
      return;
    default:
      wrong(world, `packet type ${type}`);
  }
}
