/** A million inputs, and that the fuzzer would notice if something were wrong. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { createClient } from "../../firmware/mqtt/client";
import { type Client } from "../../firmware/mqtt/client-state";
import { type ExactlyOnce } from "../../firmware/mqtt/exactly-once";
import { type Five } from "../../firmware/mqtt/five";
import { type FiveState } from "../../firmware/mqtt/five/state";
import { readCorpus } from "./corpus";
import { generateInput } from "./generate";
import { type Input, inputFrom, inputText } from "./input";
import { fuzz, tryCorpus } from "./loop";
import { attempt, type MakeClient } from "./target";
import { startThread } from "./thread";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "moth-fuzz-"));
const corpus = readCorpus();

function command(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync("node", ["--import", "tsx", "test/fuzz/fuzz.ts", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
}

describe("the fuzzer", () => {
  it("finds nothing wrong in a million inputs", { timeout: 400_000 }, () => {
    const { status, said } = command("--runs", "1000000", "--seed", "311");
    expect(said).toMatch(/1000000 inputs, seed 311: all well/);
    expect(status).toBe(0);
  });

  it("makes the same input of a seed and a run, and writes it down so that it can be read again", () => {
    for (let run = 0; run < 200; run++) {
      const input = generateInput(5, run, []);
      expect(generateInput(5, run, [])).toEqual(input);
      expect(inputFrom(inputText(input, ["a note"]))).toEqual(input);
    }
    expect(() => inputFrom("3x")).toThrow("line 1");
  });

  it("replays a file", () => {
    const file = join(folder, "good.hex");
    writeFileSync(file, "prelude listening\n30 03 00 01 62\n");
    expect(command("--replay", file)).toEqual({ status: 0, said: `${file}: all well\n` });
  });

  it("says what it can be asked for", () => {
    const { status, said } = command("--help");
    expect(status).toBe(0);
    for (const option of ["--runs", "--seed", "--replay"]) expect(said).toContain(`  ${option} `);
  });

  it("ends with a complaint when it is asked for nonsense", () => {
    expect(command("--runs", "many").said).toContain("--runs takes how many inputs to try");
  });
});

describe("the corpus", () => {
  it.each(corpus)("$name goes well, however it is cut", ({ input }) => {
    for (let split = 0; split < 20; split++) expect(attempt({ ...input, split })).toBeUndefined();
  });
});

/** A client with a fault planted in it. */
function planted(plant: (client: Client) => void): MakeClient {
  return (...args) => {
    const client = createClient(...args);
    plant(client);
    return client;
  };
}

/** Changes what reaches the client of each packet. */
function onPacket(change: (first: number, count: number) => readonly [first: number, count: number]): MakeClient {
  return planted(({ reader }) => {
    const { events } = reader;
    const original = events.packet.bind(events);
    events.packet = (now, first, bytes, at, count) => {
      const [newFirst, newCount] = change(first, count);
      original(now, newFirst, bytes, at, newCount);
    };
  });
}

function onExactlyOnce(plant: (exactlyOnce: ExactlyOnce) => void): MakeClient {
  return planted(({ exactlyOnce }) => {
    if (exactlyOnce !== undefined) plant(exactlyOnce);
  });
}

function isState(five: Five): five is FiveState {
  return "aliasesIn" in five;
}

function onFive(plant: (five: FiveState, client: Client) => void): MakeClient {
  return planted((client) => {
    if (client.five !== undefined && isState(client.five)) plant(client.five, client);
  });
}

describe("a planted fault is found:", () => {
  const faults: readonly (readonly [what: string, make: MakeClient, complaint: RegExp])[] = [
    [
      "reserved flags are accepted",
      onPacket((first, count) => [first >> 4 === 3 ? first : first & 0xf0, count]),
      /accepts a malformed packet: .*(flags|PINGRESP)|ends with/,
    ],
    [
      "a length is off by one",
      onPacket((first, count) => [first, first >> 4 === 3 && count > 20 ? count - 1 : count]),
      /delivers/,
    ],
    ["QoS 3 is taken for QoS 1", onPacket((first, count) => [first >> 4 === 3 ? first & ~4 : first, count]), /accepts a malformed packet: .*QoS|delivers/],
    [
      "the buffer of the reader is shorter than it says",
      planted((client) => Object.assign(client.reader, { buffer: new Uint8Array(40) })),
      /throws RangeError/,
    ],
    [
      "a message at QoS 1 is delivered twice",
      planted(({ reader }) => {
        const original = reader.events.packet.bind(reader.events);
        reader.events.packet = (now, first, bytes, at, count) => {
          if (first === 0x32) original(now, first, bytes, at, count);
          original(now, first, bytes, at, count);
        };
      }),
      /delivers|says/,
    ],
    [
      "a packet type that does not exist is passed over",
      planted((client) => {
        const { reader } = client;
        const original = reader.events.packet.bind(reader.events);
        reader.events.packet = (now, first, bytes, at, count) => {
          if (first >> 4 < 15 || client.five !== undefined) original(now, first, bytes, at, count);
        };
      }),
      /accepts a malformed packet: .*(packet type 15|not CONNACK)/,
    ],

    [
      "QoS 2: a copy is delivered",
      onExactlyOnce((exactlyOnce) => {
        const { isNew } = exactlyOnce;
        exactlyOnce.isNew = (client, flags, id) => {
          if (exactlyOnce.isCopy(id, true)) exactlyOnce.forget(client, id);
          return isNew(client, flags, id);
        };
      }),
      /delivers|counts/,
    ],
    [
      "QoS 2: a full list makes room for one more by forgetting the oldest",
      onExactlyOnce((exactlyOnce) => {
        const { isNew, received } = exactlyOnce;
        exactlyOnce.isNew = (client, flags, id) => {
          if (received.count === received.capacity) received.count--;
          return isNew(client, flags, id);
        };
      }),
      /accepts|delivers|counts|ends as/,
    ],
    [
      "QoS 2: a PUBREL of what is not known is not answered",
      onExactlyOnce((exactlyOnce) => {
        const { pubrel } = exactlyOnce;
        exactlyOnce.pubrel = (client, id) => {
          if (exactlyOnce.isCopy(id, true)) pubrel(client, id);
        };
      }),
      /says/,
    ],
    [
      "QoS 2: a PUBREC that comes again is not answered",
      onExactlyOnce((exactlyOnce) => {
        const { pubrec } = exactlyOnce;
        exactlyOnce.pubrec = (client, now, id) => {
          if (exactlyOnce.nearestRelease(id, id + 1) !== id) pubrec(client, now, id);
        };
      }),
      /says/,
    ],
    [
      "QoS 2: PUBCOMP is taken for the end of anything",
      onExactlyOnce((exactlyOnce) => {
        const { pubcomp } = exactlyOnce;
        exactlyOnce.pubcomp = (client, now, id) => {
          exactlyOnce.pubrecRefused(client, now, id);
          pubcomp(client, now, id);
        };
      }),
      /counts|says/,
    ],
    ["QoS 2: releases are not said again", onExactlyOnce((exactlyOnce) => (exactlyOnce.resume = () => undefined)), /says/],
    [
      "QoS 2: what was received is remembered in another session",
      onExactlyOnce((exactlyOnce) => (exactlyOnce.sessionLost = (_client, discarded) => discarded)),
      /tells|delivers|counts/,
    ],

    ["MQTT 5.0: aliases outlive their link", onFive((five) => (five.linkLost = () => undefined)), /accepts a malformed packet: .*alias/],
    [
      "MQTT 5.0: an alias keeps its first topic",
      onFive(({ aliasesIn: { topics, lengths } }, { reader: { events } }) => {
        const original = events.packet.bind(events);
        events.packet = (...args) => {
          const [size, topic] = [lengths[0] ?? 0, [...Uint8Array.from(topics)]];
          original(...args);
          if (size === 0) return;
          lengths[0] = size;
          for (const [i, byte] of topic.slice(0, size).entries()) topics[i] = byte;
        };
      }),
      /delivers/,
    ],
    [
      "MQTT 5.0: a length may be longer than it need be",
      planted(({ reader }) => Object.assign(reader, { isFive: false })),
      /accepts a malformed packet: .*more bytes than it needs/,
    ],
    [
      "MQTT 5.0: a packet may be larger than the broker was told",
      onFive((five) => Object.assign(five, { packetSize: 1_000_000 })),
      /accepts a malformed packet: .*larger than we take/,
    ],
    [
      "MQTT 5.0: the broker is not told what was wrong",
      onFive((five) => {
        const { dismiss } = five;
        five.dismiss = (client, fault) => {
          Object.assign(five, { fault: 0 });
          return dismiss(client, fault);
        };
      }),
      /ends with e001/,
    ],
    [
      "MQTT 5.0: a PUBREC that tells of a failure is taken for one that does not",
      onExactlyOnce((exactlyOnce) => (exactlyOnce.pubrecRefused = exactlyOnce.pubrec)),
      /says|counts/,
    ],
    [
      "MQTT 5.0: DISCONNECT is passed over",
      planted(({ reader: { events } }) => {
        const original = events.packet.bind(events);
        events.packet = (now, first, bytes, at, count) => {
          if (first !== 0xe0) original(now, first, bytes, at, count);
        };
      }),
      /accepts|ends as/,
    ],
    [
      "MQTT 5.0: bytes behind the properties are passed over",
      planted(({ reader: { events }, five }) => {
        const original = events.packet.bind(events);
        events.packet = (now, first, bytes, at, count) => {
          const isAck = five !== undefined && first === 0x40 && count > 3;
          const length = isAck ? 4 + (bytes[at + 3] ?? 0) : count;
          original(now, first, bytes, at, length < count ? length : count);
        };
      }),
      /accepts a malformed packet: .*propert|tells/,
    ],
  ];

  it.each(faults)("%s", (_what, make, complaint) => {
    const failure = fuzz({ seed: 1, from: 0, runs: 20_000, corpus: corpus.map(({ input }) => input), make });
    expect(failure?.problem).toMatch(complaint);
    // What is left of the input is short, and still shows it.
    const input = failure?.input ?? generateInput(1, 0, []);
    expect(input.bytes.length).toBeLessThan(200);
    expect(attempt(inputFrom(inputText(input, [])), make)).toBeDefined();
    expect(attempt(input)).toBeUndefined();
  });

  it("in the corpus, too", () => {
    const make = onPacket((first, count) => [first === 0x41 ? 0x40 : first, count]);
    expect(tryCorpus(corpus.map(({ input }) => input), make)?.problem).toMatch(/flags of PUBACK/);
  });

  it("a loop that never ends", async () => {
    const source = `
      const { workerData } = require("node:worker_threads");
      Atomics.store(workerData.place, 0, 41);
      for (;;);`;
    const stuck: Input = { prelude: "listening", split: 0, bytes: new Uint8Array(1) };
    const task = { seed: 3, from: 0, runs: 100, extra: [] };
    const { done } = startThread(task, () => stuck, { hangMs: 100, source });
    expect(await done).toEqual({ input: stuck, problem: "hangs for 0.1 s", seed: 3, run: 41 });
  });

  it("and is written to a file that shows it again", () => {
    const [fault] = faults;
    const failure = fuzz({ seed: 1, from: 0, runs: 20_000, corpus: [], make: fault?.[1] ?? createClient });
    const file = join(folder, "bad.hex");
    writeFileSync(file, inputText(failure?.input ?? generateInput(1, 0, []), [failure?.problem ?? ""]));
    expect(readFileSync(file, "utf8")).toMatch(/^# (accepts|counts|ends) .*\nprelude /);
    // The client as it is does well with it.
    expect(command("--replay", file).status).toBe(0);
  });
});
