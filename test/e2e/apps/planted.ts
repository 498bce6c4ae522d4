/**
 * The board that ships, with a trap door: on `moth/<device>/plant` it takes an order to go wrong in one of the ways
 * that a program can.
 */
import { allocate, isText, putU16 } from "#native";
import type { Bytes, Hal, Millis } from "../../../hal/hal";
import sensorBoard from "../../../firmware/apps/sensor-board";
import { addSubscription } from "../../../firmware/mqtt/client";

interface Victim {
  readonly bytes: Bytes;
  readonly list: number[];
  laps: number;
}

/** TypeScript lets a method take less than its interface promises: so the calls below are not refused. */
interface Taker {
  takeNumber(value: number | undefined): void;
  takeVictim(other: Victim | undefined): void;
}

function hang(victim: Victim): void {
  for (;;) victim.laps++;
}

function writeBeyond(victim: Victim): void {
  for (let i = 0; i <= victim.bytes.length; i++) victim.bytes[i] = 1;
}

function growList(victim: Victim): void {
  for (let i = 0; i <= 64; i++) victim.list[i] = i;
}

/** @boot */
function createTaker(victim: Victim): Taker {
  return {
    takeNumber(value: number) {
      putU16(victim.bytes, 0, value);
    },
    takeVictim(other: Victim) {
      victim.laps = other.laps;
    },
  };
}

export default {
  name: "planted",
  /** @boot */
  boot(hal: Hal) {
    const board = sensorBoard.boot(hal);
    const victim: Victim = { bytes: allocate(8), list: [], laps: 0 };
    const taker = createTaker(victim);
    addSubscription(board.client, "moth/" + board.device + "/plant", 1, {
      message(_now: Millis, { bytes, payloadAt, payloadLength }) {
        if (isText(bytes, payloadAt, payloadLength, "hang")) hang(victim);
        else if (isText(bytes, payloadAt, payloadLength, "argument")) taker.takeNumber(victim.list[7]);
        else if (isText(bytes, payloadAt, payloadLength, "undefined")) taker.takeVictim(undefined);
        else if (isText(bytes, payloadAt, payloadLength, "range")) writeBeyond(victim);
        else if (isText(bytes, payloadAt, payloadLength, "allocation")) growList(victim);
      },
    });
    return board;
  },
};
