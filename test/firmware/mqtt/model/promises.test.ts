/** What is promised holds for anything that an application, a broker and a link may do. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { found } from "./found";
import { live, settings, steps } from "./promises";
import { wrongs } from "./world";

/** Lua takes its time, with every byte that crosses over and sanitizers: it has fewer runs, of the same kind. */
const numRuns = process.env["MOTH_EXECUTOR"] === "lua" ? 150 : 1500;

describe("whatever happens", () => {
  it("[MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.6.0-1] [MQTT-4.6.0-2] QoS 0 and 1 keep their promises, both ways, in 3.1.1 and 5.0", () => {
    fc.assert(
      fc.property(settings, steps(1), (setting, sequence) => {
        expect(wrongs(live(setting, sequence, 1))).toEqual([]);
      }),
      { numRuns },
    );
  });

  it("[MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4] and so does QoS 2 among them", () => {
    fc.assert(
      fc.property(settings, steps(2), (setting, sequence) => {
        expect(wrongs(live(setting, sequence, 2))).toEqual([]);
      }),
      { numRuns },
    );
  });

  it.each(found)("the promises are kept where they were not once: $what", ({ highest, setting, steps: sequence }) => {
    expect(wrongs(live(setting, sequence, highest))).toEqual([]);
  });
});
