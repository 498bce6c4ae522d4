/** An application that does nothing but call each block operation that a loop may call, turn after turn. */
import type { Hal } from "../../../hal/hal";
import {
  allocate, byteAt, copy, decimalAt, div, find, findU16, isText, isUtf8, isUtf8Without, matchFilter, mod, putDecimal, putText,
  putU16, same, startsWith, textLength, u16At,
} from "#native";

const TOPIC = "moth/é€/telemetry";

const a = allocate(64);
const b = allocate(64);
/** A list of topic filters: `#`. */
const filters = allocate(16);

/** As much of an application as the runtime asks for. */
export default {
  /** @boot */
  boot(hal: Hal): { poll(): void } {
    putU16(filters, 0, 1);
    putText(filters, 2, "#");
    let round = 0;
    return {
      poll() {
        round = (round + 1) | 0;
        const length = putText(a, 0, TOPIC);
        isText(a, 0, length, TOPIC);
        startsWith(a, 0, length, "moth/");
        findU16(a, 0, 8, 0x2f61);
        isUtf8(a, 0, length);
        isUtf8Without(a, 0, length, 0x2b, 0x23);
        matchFilter(filters, 0, a, 0, length);
        textLength(TOPIC);
        decimalAt(a, 31, putDecimal(a, 30, -round) - 1);
        copy(a, 0, b, 8, 40);
        copy(a, 0, a, 8, 40);
        same(a, 0, b, 8, 40);
        find(a, 0, 64, 200);
        putU16(a, 62, round & 65535);
        b[0] = byteAt(a, 1) + mod(u16At(a, 62), 7) + div(round, 3);
        hal.idle(hal.clock.now());
      },
    };
  },
};
