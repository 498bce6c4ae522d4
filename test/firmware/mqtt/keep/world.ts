/** A board that publishes and is commanded, with its session kept, and a power supply that a test cuts. */
import { clientPoll, clientStart, clientWait, addSubscription, createClient } from "../../../../firmware/mqtt/client";
import type { Client, ClientOptions } from "../../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../../firmware/mqtt/exactly-once/create";
import { createKeeper } from "../../../../firmware/mqtt/keep/keep";
import type { Keeper } from "../../../../firmware/mqtt/keeper";
import { createPublication, type Publication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { LinkLoss, LinkState } from "../../../../firmware/core/link";
import { textAt } from "../../../../hal/node/native";
import { createScriptedLink, type ScriptedLink } from "../scripted-link";
import { defaults } from "../session";
import type { Storage } from "../../../../hal/hal";
import { type Broker, createBroker } from "./broker-with-sessions";

/** What can lose its power. */
export interface Medium extends Storage {
  readonly powered: boolean;
}

export interface Run {
  readonly client: Client;
  readonly keeper: Keeper;
  readonly link: ScriptedLink;
}

export interface World {
  readonly medium: Medium;
  readonly broker: Broker;
  run: Run;
  /** Bytes on their way from the broker. */
  replies: number[];
  /** What was accepted at QoS 1 and 2, in order; and what was being handed over when the power went. */
  readonly accepted: string[];
  readonly doubtful: string[];
  /** How often each command was carried out. */
  readonly obeyed: Map<string, number>;
  now: number;
}

export const options: ClientOptions = { ...defaults, outboxSize: 700, outboxSlots: 8 };

/** Half an hour's worth of messages at once is more than any test publishes. */
export const PER_MINUTE = 500;

const publications: readonly Publication[] = [
  createPublication("t", 0, false, 60),
  createPublication("t", 1, false, 60),
  createPublication("t", 2, false, 60),
];

/** The power comes on. */
function createRun(medium: Medium, obeyed: Map<string, number>, now: number, change: Partial<ClientOptions>): Run {
  const link = createScriptedLink();
  link.now = now;
  const keeper = createKeeper(medium, new Uint8Array(1024), { perMinute: PER_MINUTE });
  const exactlyOnce = createExactlyOnce({ sending: 8, receiving: 8 });
  const everything = { ...options, exactlyOnce, keeper, ...change };
  const client = createClient(everything, link, { next: () => 0 }, { online() {}, offline() {} });
  addSubscription(client, "command", 2, {
    message(_now, message) {
      if (!medium.powered) return;
      const payload = textAt(message.bytes, message.payloadAt, message.payloadLength);
      obeyed.set(payload, (obeyed.get(payload) ?? 0) + 1);
    },
  });
  clientStart(client, now);
  return { client, keeper, link };
}

export function createWorld(medium: Medium, change: Partial<ClientOptions> = {}): World {
  const obeyed = new Map<string, number>();
  return {
    medium,
    broker: createBroker(3),
    run: createRun(medium, obeyed, 0, change),
    replies: [],
    accepted: [],
    doubtful: [],
    obeyed,
    now: 0,
  };
}

/** The power is back: nothing is left of the board but its storage. The broker has noticed. */
export function restart(world: World, change: Partial<ClientOptions> = {}): void {
  loseLink(world);
  world.run = createRun(world.medium, world.obeyed, world.now, change);
}

function loseLink(world: World): void {
  world.replies = [];
  world.broker.disconnected();
}

export function publish(world: World, qos: 0 | 1 | 2, text: string): boolean {
  const publication = publications[qos];
  if (publication === undefined) return false;
  const isAccepted = publishText(world.run.client, publication, text);
  if (qos === 0) return isAccepted;
  if (!world.medium.powered) world.doubtful.push(text);
  else if (isAccepted) world.accepted.push(text);
  return isAccepted;
}

export function command(world: World, payload: string, qos: 1 | 2): void {
  world.replies.push(...world.broker.publish(payload, qos));
}

/** One turn of the board: its link comes up when it is asked for. */
export function turn(world: World): void {
  const { client, link } = world.run;
  link.now = world.now;
  clientPoll(client, world.now);
  if (!world.medium.powered) return;
  if (link.state === LinkState.Opening) link.up();
  if (link.state === LinkState.Closing) {
    loseLink(world);
    link.down(LinkLoss.Closed);
  }
}

/** Up to `most` bytes leave; whole packets reach the broker, and are answered, unless the power has gone. */
export function send(world: World, most: number): void {
  const { link } = world.run;
  if (link.state !== LinkState.Up || !world.medium.powered) return;
  link.flush({ stopAfter: most });
  for (const packet of link.takePackets()) world.replies.push(...world.broker.take(packet));
}

/** Up to `most` bytes arrive at the board. */
export function hear(world: World, most: number): void {
  const { link } = world.run;
  if (link.state !== LinkState.Up || world.replies.length === 0 || !world.medium.powered) return;
  const said = Uint8Array.from(world.replies.slice(0, most));
  const left = link.receive(said);
  world.replies.splice(0, said.length - left.length);
}

/** The time that the board sleeps when its link is down. */
export function sleep(world: World): void {
  const { client, link } = world.run;
  if (link.state === LinkState.Down) world.now = (world.now + clientWait(client, world.now)) | 0;
}

/** Until nothing is left to say. */
export function settle(world: World): void {
  for (let i = 0; i < 60; i++) {
    turn(world);
    send(world, 4096);
    hear(world, 4096);
    sleep(world);
  }
}
