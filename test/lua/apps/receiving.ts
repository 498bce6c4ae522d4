/**
 * An application of which only the receiving side works: back-pressure, acknowledgement by hand and payloads in parts, on
 * a link that is lost again and again. It restarts the board when one of them has not done what it should.
 */
import type { Bytes, Hal, Millis } from "../../../hal/hal";
import { allocate, byteAt, div, mod, putText, putU16 } from "#native";
import { LinkState } from "../../../firmware/core/link";
import { addSubscription, clientPoll, clientStart, createClient } from "../../../firmware/mqtt/client";
import { type Client } from "../../../firmware/mqtt/client-state";
import { acknowledge, byHand, type ByHandTable, createByHand } from "../../../firmware/mqtt/receive/by-hand";
import { createHold, type Held, notNow } from "../../../firmware/mqtt/receive/hold";
import { createParts, type PartsState } from "../../../firmware/mqtt/receive/parts";
import { createWire, endWire, send, type Wire } from "./wire";

/** Milliseconds between two turns of the loop, turns between two losses of the link, and turns in all. */
const TURN = 200;
const LOSS_EVERY = 401;
const TURNS = 9000;

interface Rig {
  readonly hal: Hal;
  readonly wire: Wire;
  readonly client: Client;
  readonly hold: Held;
  readonly hand: ByHandTable;
  readonly parts: PartsState;
  readonly connack: Bytes;
  /** What the broker sends in a session, and how much of it has come. */
  readonly stream: Bytes;
  streamAt: number;
  turn: number;
  /** The token that came last. */
  token: number;
  whole: number;
}

/** Writes a PUBLISH with a topic of one letter. Gives where it ends. @boot */
function putMessage(into: Bytes, at: number, topic: string, id: number, length: number): number {
  const remaining = 3 + (id === 0 ? 0 : 2) + length;
  into[at] = id === 0 ? 0x30 : 0x32;
  into[at + 1] = 128 + (remaining & 127);
  into[at + 2] = div(remaining, 128);
  putU16(into, at + 3, 1);
  putText(into, at + 5, topic);
  if (id !== 0) putU16(into, at + 6, id);
  return at + 3 + remaining;
}

/** @boot */
function createStream(): Bytes {
  const stream = allocate(900);
  let end = putMessage(stream, 0, "a", 1, 20);
  end = putMessage(stream, end, "h", 2, 10);
  end = putMessage(stream, end, "p", 3, 300);
  end = putMessage(stream, end, "a", 0, 30);
  end = putMessage(stream, end, "h", 4, 250);
  // Too large, and taken by nobody.
  end = putMessage(stream, end, "x", 5, 100);
  stream[end] = 0xd0;
  const whole = allocate(end + 2);
  for (let i = 0; i < end + 2; i++) whole[i] = byteAt(stream, i);
  return whole;
}

/** @boot */
function createRig(hal: Hal): Rig {
  const wire = createWire();
  const hold = createHold(200);
  const hand = createByHand(3);
  const parts = createParts();
  const options = {
    host: "broker", port: 1883, clientId: "receiving", cleanSession: false, keepAlive: 30, outboxSize: 256, outboxSlots: 4,
    receiveSize: 64, subscribeRoom: 64, coalesce: 8, hold, byHand: hand, parts,
  };
  const client = createClient(options, wire, hal.entropy, { online() {}, offline() {} });
  const connack = allocate(4);
  connack[0] = 0x20;
  connack[1] = 2;
  const rig: Rig = {
    hal, wire, client, hold, hand, parts, connack, stream: createStream(), streamAt: 0, turn: 0, token: 0, whole: 0,
  };
  const taker = {
    begin() {},
    part() {
      if (mod(rig.turn, 5) === 0) notNow(client);
    },
    end() {
      rig.token = client.message.token;
    },
    aborted() {},
  };
  addSubscription(client, "p", 1, { message() {}, parts: taker });
  addSubscription(client, "a", 1, {
    message() {
      if (mod(rig.turn, 3) === 0) notNow(client);
      else rig.whole++;
    },
  });
  addSubscription(
    client,
    "h",
    1,
    byHand(hand, {
      message(_now, message) {
        rig.token = message.token;
      },
      parts: taker,
    }),
  );
  return rig;
}

/** What there is room for, in two pieces, as a driver brings it. */
function receive(rig: Rig, now: Millis): void {
  const { wire, stream } = rig;
  const room = wire.user.room();
  const left = stream.length - rig.streamAt;
  const count = room < left ? room : left;
  for (let i = 0; i < 2; i++) {
    const half = div(count, 2);
    const piece = i === 0 ? half : count - half;
    if (piece > 0 && wire.state === LinkState.Up) wire.user.received(now, stream, rig.streamAt, piece);
    rig.streamAt += piece;
  }
  if (rig.streamAt === stream.length) rig.streamAt = 0;
}

/** In every other session something is owed when the link is lost; in the others it is lost in the middle of a message. */
function isPrompt({ turn: count, client }: Rig): boolean {
  return mod(client.stats.sessions, 2) === 0 || mod(count, LOSS_EVERY) < LOSS_EVERY - 40;
}

function turn(rig: Rig, now: Millis): void {
  const { wire, client } = rig;
  rig.turn++;
  clientPoll(client, now);
  if (wire.state === LinkState.Opening) {
    wire.state = LinkState.Up;
    rig.streamAt = 0;
    wire.user.linkUp(now);
    send(wire, now);
    wire.user.received(now, rig.connack, 0, 4);
  } else if (wire.state === LinkState.Up) {
    receive(rig, now);
  }
  if (mod(rig.turn, 4) === 0 && isPrompt(rig)) acknowledge(client, rig.hand, now, rig.token);
  send(wire, now);
  endWire(wire, now, mod(rig.turn, LOSS_EVERY) === 0);
  if (rig.turn === TURNS && !hasWorked(rig)) rig.hal.system.restart();
}

function hasWorked({ client, hold, hand, parts, whole }: Rig): boolean {
  const { sessions, oversize, violations } = client.stats;
  return (
    sessions > 5 && oversize > 10 && violations === 0 && hold.refusals > 100 && hand.lost > 0 && hand.first > 100 &&
    parts.completed > 100 && parts.aborted > 0 && whole > 100
  );
}

export default {
  /** @boot */
  boot(hal: Hal): { poll(): void } {
    const rig = createRig(hal);
    clientStart(rig.client, hal.clock.now());
    return {
      poll() {
        const now = hal.clock.now();
        turn(rig, now);
        hal.idle((now + TURN) | 0);
      },
    };
  },
};
