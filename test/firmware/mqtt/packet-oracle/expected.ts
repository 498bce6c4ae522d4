/**
 * What a client must make of packets, going by the objects that mqtt-packet has made bytes of: nothing here knows how a
 * packet is written. What becomes of messages and their acknowledgements is for the oracle of the fuzzer to say.
 */
import { type IAuthPacket, type IConnackPacket, type IPublishPacket, type ISubackPacket, type IUnsubackPacket, type Packet } from "mqtt-packet";
import * as exchanges from "../../../fuzz/oracle/exchanges";
import { dropWhatCannotGo, refused, resolve } from "../../../fuzz/oracle/five";
import { hex, Sub, type World } from "../../../fuzz/oracle/world";
import { filtersOf, NOT_BELIEVED, OWN_TOPIC, PROOF } from "../../../fuzz/preludes";
import { describeProperties } from "./properties";

const FAILURE = 0x80;

interface Words {
  readonly reasonString?: string;
  readonly serverReference?: string;
}

function tell({ told }: World, type: number, reason: number, id: number, about: string, words: Words = {}): void {
  const { reasonString = "", serverReference = "" } = words;
  told.push(`${type} ${reason} ${id} [${hex(about)}] [${hex(reasonString)}] [${hex(serverReference)}]`);
}

function isNews(reason: number, { reasonString = "" }: Words = {}): boolean {
  return reason >= FAILURE || reasonString !== "";
}

function believed(data: Buffer | undefined): boolean {
  return hex(data ?? "") !== hex(NOT_BELIEVED);
}

function hearConnack(world: World, { returnCode, reasonCode, sessionPresent, properties = {} }: IConnackPacket): void {
  const { prelude, grants } = world;
  const { protocol, clean, method } = prelude;
  const code = (protocol === 5 ? reasonCode : returnCode) ?? 0;
  if (protocol === 5 && code > 0) tell(world, 2, code, 0, "", properties);
  if (code > 0) {
    world.end = "refused";
    return;
  }
  if (method !== undefined && !believed(properties.authenticationData)) {
    world.end = "not authentic";
    return;
  }
  if (protocol === 5) {
    grants.receiveMaximum = properties.receiveMaximum ?? 65535;
    grants.maximumQos = properties.maximumQoS ?? 2;
    grants.largest = properties.maximumPacketSize ?? Infinity;
    grants.wildcards = properties.wildcardSubscriptionAvailable ?? true;
    tell(world, 2, 0, 0, "", properties);
    dropWhatCannotGo(world);
  }
  exchanges.sessionBegins(world, sessionPresent && protocol > 3, protocol === 3 && !clean);
}

function hearPublish(world: World, packet: IPublishPacket): void {
  const { qos, dup, retain, messageId = 0, properties } = packet;
  const flags = 0x30 + (dup ? 8 : 0) + qos * 2 + (retain ? 1 : 0);
  const five = world.prelude.protocol === 5;
  const topic = five ? resolve(world, Buffer.from(packet.topic), properties?.topicAlias) : Buffer.from(packet.topic);
  const told = five ? describeProperties(properties) : "";
  exchanges.publish(world, flags, messageId, false, () => exchanges.deliver(world, flags, topic, Buffer.from(packet.payload), told));
}

type Acknowledgement = Extract<Packet, { cmd: "puback" | "pubrec" | "pubrel" | "pubcomp" }>;

const types = { puback: 4, pubrec: 5, pubrel: 6, pubcomp: 7 } as const;

function hearAcknowledgement(world: World, { cmd, messageId: id = 0, reasonCode = 0, properties }: Acknowledgement): void {
  const { owed, counts, prelude } = world;
  const reason = prelude.protocol === 5 ? reasonCode : 0;
  const ours = owed.get(id) === types[cmd] - 3 && types[cmd] <= 5;
  if (prelude.protocol === 5 && isNews(reason, properties)) tell(world, types[cmd], reason, id, ours ? OWN_TOPIC : "", properties);
  if (ours && reason >= FAILURE) counts.rejected++;
  if (cmd === "pubrec" && reason >= FAILURE) refused(world, id);
  else exchanges[cmd](world, id);
}

function hearAnswer(world: World, { cmd, messageId, granted, properties }: ISubackPacket | IUnsubackPacket): void {
  const { prelude, subs, counts } = world;
  const isSuback = cmd === "suback";
  if (messageId !== (isSuback ? world.subscribeId : world.unsubscribeId)) return;
  const about = filtersOf(prelude).slice(isSuback ? 0 : 1);
  for (const [i, code] of granted.entries()) {
    const reason = Number(code);
    const refusal = isSuback && reason >= FAILURE;
    if (refusal) counts.subscriptionsRefused++;
    if (isSuback) subs[i] = refusal ? Sub.Refused : Sub.Granted;
    if (prelude.protocol === 5 && isNews(reason, properties)) {
      tell(world, isSuback ? 9 : 11, reason, messageId, about[i]?.filter ?? "", properties);
    }
  }
  if (isSuback) {
    world.subscribeId = 0;
    return;
  }
  world.unsubscribeId = 0;
  subs[1] = Sub.Off;
}

const CHALLENGE = 0x18;

function hearAuth(world: World, { reasonCode, properties }: IAuthPacket): void {
  const method = world.prelude.method ?? "";
  if (isNews(reasonCode, properties)) tell(world, 15, reasonCode, 0, "", properties);
  if (!believed(properties?.authenticationData)) {
    world.end = "not authentic";
  } else if (reasonCode === CHALLENGE) {
    const body = [21, 0, method.length, ...Buffer.from(method), 22, 0, PROOF.length, ...PROOF];
    world.answers.push(hex([0xf0, 2 + body.length, CHALLENGE, body.length, ...body]));
  }
}

/** The client hears a packet, which is one that it may hear then. */
export function hear(world: World, packet: Packet): void {
  switch (packet.cmd) {
    case "connack":
      hearConnack(world, packet);
      return;
    case "publish":
      hearPublish(world, packet);
      return;
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      hearAcknowledgement(world, packet);
      return;
    case "suback":
    case "unsuback":
      hearAnswer(world, packet);
      return;
    case "disconnect":
      world.end = "dismissed";
      tell(world, 14, packet.reasonCode ?? 0, 0, "", packet.properties);
      return;
    case "auth":
      hearAuth(world, packet);
      return;
    case "pingresp":
      return;
    default:
      throw new Error(`no broker says ${packet.cmd}`);
  }
}
