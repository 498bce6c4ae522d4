/** A share of the fuzzer's inputs, which also goes through the compiled Lua in the boards' runtime, with sanitizers. */
import { describe, expect, it } from "vitest";
import { readCorpus } from "../../fuzz/corpus";
import { fuzz, tryCorpus } from "../../fuzz/loop";

const corpus = readCorpus().map(({ input }) => input);

describe("[MQTT-4.8.0-1] whatever a broker sends", () => {
  it("the client makes of it what the specification does: the corpus", () => {
    expect(corpus.length).toBeGreaterThan(40);
    expect(tryCorpus(corpus)).toBeUndefined();
  });

  it("the client makes of it what the specification does: 16,000 streams", { timeout: 600_000 }, () => {
    expect(fuzz({ seed: 20, from: 0, runs: 16_000, corpus })).toBeUndefined();
  });
});
