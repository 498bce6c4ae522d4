/**
 * 100,000 messages through the MQTT client, over the link of `npm run bench -- chip` that takes everything at once: a
 * quarter each published and received, at QoS 0 and at QoS 1. The console tells when they begin and what was counted, and
 * of a crash before.
 */
import { allocate } from "#native";
import type { Hal } from "../../../hal/hal";
import { arm, createDeadline, isDue } from "../../../firmware/core/time";
import { createWriter, writeDecimal, type Writer, writeText } from "../../../firmware/core/writer";
import { connect, createRig, oneRound, type Rig } from "../../../tools/bench/chip/application";
import { Case } from "../../../tools/bench/chip/cases";

const ROUNDS = 25_000;
/** Of each case, in one turn of the loop. */
const ROUNDS_A_TURN = 100;
/** From the announcement to the first message, in ms: time to look at the memory before. */
const PAUSE = 1000;

function turn(rig: Rig): void {
  for (let round = 0; round < ROUNDS_A_TURN; round++) {
    oneRound(rig, Case.PublishQos0);
    oneRound(rig, Case.PublishQos1);
    oneRound(rig, Case.ReceiveQos0);
    oneRound(rig, Case.ReceiveQos1);
  }
}

function tellBegin(hal: Hal, line: Writer): void {
  line.at = hal.system.crash(line.bytes, 0, line.end);
  writeText(line, line.at === 0 ? "begin\r\n" : "\r\n");
  hal.console.write(line.bytes, 0, line.at);
}

function tellEnd(hal: Hal, line: Writer, rig: Rig): void {
  const stats = rig.client.stats;
  line.at = 0;
  writeText(line, "published=");
  writeDecimal(line, stats.published);
  writeText(line, " acknowledged=");
  writeDecimal(line, stats.acknowledged);
  writeText(line, " received=");
  writeDecimal(line, stats.received);
  writeText(line, " lost=");
  writeDecimal(line, stats.refused + stats.offline + stats.unmatched + stats.oversize + stats.losses);
  writeText(line, "\r\n");
  hal.console.write(line.bytes, 0, line.at);
}

export default {
  name: "hundred thousand",
  /** @boot */
  boot(hal: Hal) {
    const rig = createRig(hal);
    const line = createWriter(allocate(320));
    const start = createDeadline();
    let rounds = -1;
    return {
      poll() {
        const now = hal.clock.now();
        if (rounds < 0) {
          rounds = 0;
          connect(rig);
          tellBegin(hal, line);
          arm(start, now, PAUSE);
        } else if (rounds < ROUNDS && isDue(start, now)) {
          turn(rig);
          rounds += ROUNDS_A_TURN;
          if (rounds === ROUNDS) tellEnd(hal, line, rig);
        }
        hal.idle(rounds === 0 || rounds === ROUNDS ? now + PAUSE : now);
      },
    };
  },
};
