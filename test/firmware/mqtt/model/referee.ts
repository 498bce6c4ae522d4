/**
 * Watches the bytes on a client's link, both ways, and writes down what the client does against the protocol: what a
 * broker need not notice, because it only sees what arrives, and a test would not ask for, because it did not think of it.
 */
import { type IPublishPacket, type Packet } from "mqtt-packet";
import { hex, idOf, type Level, readWhole } from "./packets";

const enum Step {
  /** Sent on this link, PUBACK or PUBREC is awaited. */
  Sent,
  /** Sent on an earlier link, and not on this one. */
  Doubtful,
  /** PUBREC has come: never PUBLISH again. */
  Released,
}

/** A message above QoS 0 that the client has sent and that has not ended. */
interface Flow {
  /** Without DUP. */
  readonly bytes: string;
  readonly qos: number;
  step: Step;
}

export interface Referee {
  readonly level: Level;
  /** The most messages above QoS 0 that may be under way. */
  window: number;
  /** What the client did wrong. */
  readonly faults: string[];
  /** Bytes of packets that are not whole. */
  readonly out: number[];
  readonly in: number[];
  /** On this link: what was said, and the answers that are owed, each in its order. */
  connects: number;
  connacks: number;
  goodbyes: number;
  readonly pubacks: number[];
  readonly pubrecs: number[];
  readonly pubcomps: number[];
  readonly pubrels: number[];
  /** How many of `pubrels` are those of a resume, which go before any message. */
  oldPubrels: number;
  readonly requests: Set<number>;
  /** Over all links, in the order of their first send; and the releases among them in the order of their PUBREC. */
  readonly flows: Map<number, Flow>;
  readonly releases: number[];
  /** Messages that were sent again. */
  resends: number;
}

export function createReferee(level: Level, window = 65535): Referee {
  return {
    level,
    window,
    faults: [],
    out: [],
    in: [],
    connects: 0,
    connacks: 0,
    goodbyes: 0,
    pubacks: [],
    pubrecs: [],
    pubcomps: [],
    pubrels: [],
    oldPubrels: 0,
    requests: new Set(),
    flows: new Map(),
    releases: [],
    resends: 0,
  };
}

/** A new link, after the one before, if any, is gone. */
export function refereeNewLink(referee: Referee): void {
  const { out, in: heard, pubacks, pubrecs, pubcomps, pubrels } = referee;
  for (const list of [out, heard, pubacks, pubrecs, pubcomps, pubrels]) list.length = 0;
  referee.oldPubrels = 0;
  referee.requests.clear();
  referee.connects = 0;
  referee.connacks = 0;
  referee.goodbyes = 0;
  for (const flow of referee.flows.values()) if (flow.step === Step.Sent) flow.step = Step.Doubtful;
}

/** What the client still owes, on a link that has come to rest. */
export function refereeOwed(referee: Referee): string[] {
  const lists = { PUBACK: referee.pubacks, PUBREC: referee.pubrecs, PUBREL: referee.pubrels, PUBCOMP: referee.pubcomps };
  const owed = Object.entries(lists).flatMap(([name, ids]) => ids.map((id) => `owes ${name} ${id}`));
  for (const [id, { step }] of referee.flows) {
    if (step === Step.Doubtful) owed.push(`owes PUBLISH ${id} again`);
  }
  return referee.out.length > 0 ? [...owed, `owes the rest of ${hex(referee.out)}`] : owed;
}

function wrong(referee: Referee, what: string): void {
  referee.faults.push(what);
}

/** The client has given these bytes to its link: for all that it can know, they have arrived. */
export function refereeSaw(referee: Referee, bytes: readonly number[]): void {
  referee.out.push(...bytes);
  for (const read of readWhole(referee.out, referee.level)) fromClient(referee, read.packet, read.bytes);
}

function fromClient(referee: Referee, packet: Packet, bytes: Uint8Array): void {
  const id = idOf(packet);
  if (referee.goodbyes > 0) wrong(referee, `${packet.cmd} after DISCONNECT`);
  if ((packet.cmd === "connect") !== (referee.connects === 0)) wrong(referee, `${packet.cmd} as packet ${referee.connects}`);
  if (packet.cmd !== "connect" && packet.cmd !== "disconnect" && referee.connacks === 0) {
    wrong(referee, `${packet.cmd} before CONNACK`);
  }
  switch (packet.cmd) {
    case "connect":
      referee.connects++;
      return;
    case "publish":
      published(referee, packet, id, bytes);
      return;
    case "puback":
      answered(referee, "PUBACK", referee.pubacks, id);
      return;
    case "pubrec":
      answered(referee, "PUBREC", referee.pubrecs, id);
      return;
    case "pubcomp":
      answered(referee, "PUBCOMP", referee.pubcomps, id);
      return;
    case "pubrel":
      answered(referee, "PUBREL", referee.pubrels, id);
      if (referee.oldPubrels > 0) referee.oldPubrels--;
      return;
    case "subscribe":
    case "unsubscribe":
      if (id === 0 || referee.requests.has(id) || referee.flows.has(id)) wrong(referee, `${packet.cmd} takes identifier ${id}`);
      referee.requests.add(id);
      return;
    case "disconnect":
      referee.goodbyes++;
      return;
    default:
      return;
  }
}

/** Answers go in the order of what they answer. [MQTT-4.6.0-2] and the two after it. */
function answered(referee: Referee, name: string, owed: number[], id: number): void {
  if (owed.shift() !== id) wrong(referee, `${name} ${id} out of turn`);
}

function published(referee: Referee, packet: IPublishPacket, id: number, bytes: Uint8Array): void {
  if (packet.qos === 0) {
    if (packet.dup) wrong(referee, "DUP at QoS 0");
    return;
  }
  if (id === 0 || referee.requests.has(id)) wrong(referee, `PUBLISH takes identifier ${id}`);
  if (referee.oldPubrels > 0) wrong(referee, `PUBLISH ${id} before the PUBRELs of the resume`);
  const first = bytes[0] ?? 0;
  const text = hex([first & ~8, ...bytes.subarray(1)]);
  const [oldest] = [...referee.flows].filter(([, { step }]) => step === Step.Doubtful);
  const flow = referee.flows.get(id);
  if (oldest !== undefined && oldest[0] !== id) wrong(referee, `PUBLISH ${id} before ${oldest[0]} was sent again`);
  if (flow === undefined) {
    if (packet.dup) wrong(referee, `DUP in PUBLISH ${id}, which was not sent before`);
    referee.flows.set(id, { bytes: text, qos: packet.qos, step: Step.Sent });
    if (referee.flows.size > referee.window) wrong(referee, `${referee.flows.size} messages under way, of ${referee.window}`);
    return;
  }
  if (flow.step === Step.Sent) wrong(referee, `PUBLISH ${id} twice on one link`);
  if (flow.step === Step.Released) wrong(referee, `PUBLISH ${id} after its PUBREC`);
  if (!packet.dup) wrong(referee, `no DUP in PUBLISH ${id}, which was sent before`);
  if (flow.bytes !== text) wrong(referee, `PUBLISH ${id} is another message than before`);
  flow.step = Step.Sent;
  referee.resends++;
}

/** The client was given these bytes. */
export function refereeGave(referee: Referee, bytes: readonly number[]): void {
  referee.in.push(...bytes);
  for (const { packet } of readWhole(referee.in, referee.level)) fromBroker(referee, packet);
}

function fromBroker(referee: Referee, packet: Packet): void {
  const id = idOf(packet);
  switch (packet.cmd) {
    case "connack":
      referee.connacks++;
      if ((packet.returnCode ?? packet.reasonCode ?? 0) === 0) sessionBegins(referee, packet.sessionPresent);
      return;
    case "publish":
      if (packet.qos === 1) referee.pubacks.push(id);
      if (packet.qos === 2) referee.pubrecs.push(id);
      return;
    case "puback":
      if (referee.flows.get(id)?.qos === 1 && referee.flows.get(id)?.step === Step.Sent) referee.flows.delete(id);
      return;
    case "pubrec":
      recorded(referee, id, (packet.reasonCode ?? 0) >= 0x80);
      return;
    case "pubrel":
      referee.pubcomps.push(id);
      return;
    case "pubcomp":
      if (referee.flows.get(id)?.step !== Step.Released) return;
      referee.flows.delete(id);
      referee.releases.splice(referee.releases.indexOf(id), 1);
      return;
    case "suback":
    case "unsuback":
      referee.requests.delete(id);
      return;
    default:
      return;
  }
}

function recorded(referee: Referee, id: number, refused: boolean): void {
  const flow = referee.flows.get(id);
  if (refused) {
    if (flow?.step === Step.Sent) referee.flows.delete(id);
    return;
  }
  referee.pubrels.push(id);
  if (flow === undefined || flow.step === Step.Released) return;
  flow.step = Step.Released;
  referee.releases.push(id);
}

function sessionBegins(referee: Referee, present: boolean): void {
  if (!present) {
    referee.flows.clear();
    referee.releases.length = 0;
    return;
  }
  referee.pubrels.push(...referee.releases);
  referee.oldPubrels = referee.releases.length;
}
