/** Everything that a broker may say, as mqtt-packet writes it, against what the client makes of it. */
import fc from "fast-check";
import { generate } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { verdictOf } from "../../../fuzz/oracle";
import { createWorld } from "../../../fuzz/oracle/world";
import { type Prelude, preludeNames, preludes } from "../../../fuzz/preludes";
import { attemptWith } from "../../../fuzz/target";
import { hear } from "./expected";
import { packetsAfter } from "./packets";

/** With sanitizers, and everything that is read of a record comes from Lua. */
const numRuns = process.env["MOTH_EXECUTOR"] === "lua" ? 12 : 150;
/** What mqtt-packet writes has any length. */
const RECEIVE_SIZE = 1024;
/** A client that has said that it takes less than that is for the fuzzer. */
const names = preludeNames.filter((name) => largestOf(preludes[name]) >= RECEIVE_SIZE);

function largestOf({ largest = Infinity }: Prelude): number {
  return largest;
}

describe("what a broker says is what handlers, events, counters and answers tell", () => {
  it.each(names)("after the prelude %s", (name) => {
    const prelude: Prelude = preludes[name];
    fc.assert(
      fc.property(packetsAfter(prelude), fc.constantFrom(0, 1, 2, 3), (packets, split) => {
        const world = createWorld(prelude);
        const written = packets.map((packet) => generate(packet, { protocolVersion: prelude.protocol }));
        let number = 0;
        for (const packet of packets) {
          if (world.end !== "open") break;
          hear(world, packet);
          number++;
        }
        const input = { prelude: name, split, bytes: Uint8Array.from(Buffer.concat(written)) };
        expect(attemptWith(input, verdictOf(world, number), RECEIVE_SIZE)).toBeUndefined();
      }),
      { numRuns },
    );
  });
});
