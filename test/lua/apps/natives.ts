/** An application that does nothing but call each block operation that a loop may call, turn after turn. */
import type { Hal } from "../../../hal/hal";
import {
  allocate, byteAt, copy, decimalAt, div, find, isText, isUtf8, mod, putDecimal, putText, putU16, same, startsWith,
  textLength, u16At,
} from "#native";

const TOPIC = "moth/é€/telemetry";

/** As much of an application as the runtime asks for. */
export default {
  boot(hal: Hal): { poll(): void } {
    const a = allocate(64);
    const b = allocate(64);
    let round = 0;
    return {
      poll() {
        round = (round + 1) | 0;
        const length = putText(a, 0, TOPIC);
        isText(a, 0, length, TOPIC);
        startsWith(a, 0, length, "moth/");
        isUtf8(a, 0, length);
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
