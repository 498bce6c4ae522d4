/** What is kept of a session, what a board finds of it when it starts, and what happens when it cannot be kept. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addSubscription } from "../../../../firmware/mqtt/client";
import { type ClientOptions, Fault } from "../../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../../firmware/mqtt/exactly-once/create";
import { createKeeper } from "../../../../firmware/mqtt/keep/keep";
import type { Keeper } from "../../../../firmware/mqtt/keeper";
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { canPublish, publishBytes, publishText } from "../../../../firmware/mqtt/publish";
import {
  connect,
  createListener,
  createSession,
  exchange,
  finishClosing,
  fromBroker,
  message,
  passTime,
  publishes,
  reconnect,
  type Session,
} from "../session";
import { createMortalStorage, type MortalStorage } from "./mortal-storage";

const once = createPublication("t", 1, false, 100);
const retained = createPublication("state", 1, true, 100);
const live = createPublication("live", 0, false, 100);

const FIRST = 9;

interface Board extends Session {
  readonly keeper: Keeper;
}

/** A board that starts on a storage. */
function start(storage: MortalStorage, change: Partial<ClientOptions> = {}, perMinute = 500): Board {
  const keeper = createKeeper(storage, new Uint8Array(1024), { perMinute });
  return { ...createSession({ keeper, outboxSlots: 60, outboxSize: 8192, ...change }), keeper };
}

function slots(storage: MortalStorage): number[] {
  return [...storage.records.keys()].sort((a, b) => a - b);
}

/** What goes out once the broker still knows the session. */
function resent(board: Board, sessionPresent = true): string[] {
  connect(board, sessionPresent);
  return publishes(exchange(board));
}

describe("a kept message", () => {
  it("is on the medium when it was accepted, and not any more when it was acknowledged", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    connect(board);
    expect(publishText(board.client, once, "one")).toBe(true);
    expect(publishBytes(board.client, once, new TextEncoder().encode("two"), 0, 3)).toBe(true);
    expect(slots(storage)).toEqual([FIRST, FIRST + 1]);
    expect(board.keeper.stats).toMatchObject({ held: 2, kept: 2 });
    exchange(board);
    fromBroker(board, { cmd: "puback", messageId: 2 });
    passTime(board, 0);
    expect(slots(storage)).toEqual([FIRST]);
    fromBroker(board, { cmd: "puback", messageId: 1 });
    passTime(board, 0);
    expect(slots(storage)).toEqual([]);
    expect(board.keeper.stats.held).toBe(0);
  });

  it("[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] goes again after a restart: in its place, with its identifier and with DUP", () => {
    const storage = createMortalStorage();
    const before = start(storage);
    for (const text of ["one", "two", "three"]) publishText(before.client, once, text);
    publishText(before.client, retained, "on");
    const board = start(storage);
    expect(board.keeper.stats).toMatchObject({ held: 4, restored: 4, dropped: 0 });
    publishText(board.client, once, "five");
    expect(resent(board)).toEqual(["t one 1 1 dup", "t two 1 2 dup", "t three 1 3 dup", "state on 1 4 dup retain", "t five 1 5"]);
  });

  it("is found by every start until it is acknowledged", () => {
    const storage = createMortalStorage();
    publishText(start(storage).client, once, "one");
    for (let i = 0; i < 3; i++) expect(resent(start(storage))).toEqual(["t one 1 1 dup"]);
    const board = start(storage);
    connect(board, true);
    exchange(board);
    fromBroker(board, { cmd: "puback", messageId: 1 });
    passTime(board, 0);
    expect(resent(start(storage))).toEqual([]);
  });

  it("goes as a new one to a broker that has lost the session", () => {
    const storage = createMortalStorage();
    publishText(start(storage).client, once, "one");
    expect(resent(start(storage), false)).toEqual(["t one 1 1"]);
    // The new session may have it now.
    expect(resent(start(storage))).toEqual(["t one 1 1 dup"]);
  });

  it("is one at QoS 1 or more: what is live at QoS 0 is not written down", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    connect(board);
    expect(publishText(board.client, live, "now")).toBe(true);
    expect(publishBytes(board.client, live, new TextEncoder().encode("now"), 0, 3)).toBe(true);
    expect(storage.saves).toBe(0);
    expect(publishes(exchange(board))).toEqual(["live now 0 0", "live now 0 0"]);
  });

  it("[MQTT-2.3.1-2] keeps its identifier to itself, also when those of new messages come around", () => {
    const storage = createMortalStorage();
    const before = start(storage);
    for (const text of ["one", "two", "three"]) publishText(before.client, once, text);
    const board = start(storage);
    connect(board, true);
    exchange(board);
    fromBroker(board, { cmd: "puback", messageId: 1 });
    passTime(board, 0);
    board.client.lastId = 65534;
    for (const text of ["a", "b", "c"]) publishText(board.client, once, text);
    expect(publishes(exchange(board))).toEqual(["t a 1 65535", "t b 1 1", "t c 1 4"]);
    // Whatever the identifiers say, the order is the one in which they were accepted.
    expect(resent(start(storage))).toEqual(["t two 1 2 dup", "t three 1 3 dup", "t a 1 65535 dup", "t b 1 1 dup", "t c 1 4 dup"]);
  });

  it("keeps its place when the numbers of the records wrap", () => {
    const storage = createMortalStorage();
    const before = start(storage);
    publishText(before.client, once, "zero");
    // Its number is at bytes 6 to 9 of the record: the last one before the numbers wrap.
    storage.records.get(FIRST)?.set([0x7f, 0xff, 0xff, 0xfe], 6);
    const between = start(storage);
    for (const text of ["one", "two", "three"]) publishText(between.client, once, text);
    expect(resent(start(storage))).toEqual(["t zero 1 1 dup", "t one 1 2 dup", "t two 1 3 dup", "t three 1 4 dup"]);
  });

  it("may have as many as 1010 bytes of topic and payload", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    const long = createPublication("t", 1, false, 2000);
    expect(publishText(board.client, long, "x".repeat(1010))).toBe(false);
    expect(board.client.stats.refused).toBe(1);
    expect(publishText(board.client, long, "x".repeat(1009))).toBe(true);
    expect(storage.records.get(FIRST)?.length).toBe(1024);
    expect(resent(start(storage))).toEqual([`t ${"x".repeat(1009)} 1 2 dup`]);
  });
});

describe("what was kept", () => {
  const other: [string, Partial<ClientOptions>][] = [
    ["with another name", { clientId: "t2" }],
    ["of another user", { userName: "somebody" }],
    ["for another broker", { host: "stranger" }],
    ["for another port", { port: 8883 }],
    ["with one broker more", { otherBrokers: [{ host: "second", port: 1883 }] }],
    ["by another protocol", { protocol: 3 }],
    ["that wants a clean session", { cleanSession: true }],
  ];

  it.each(other)("is dropped by a client %s, and counted", (_what, change) => {
    const storage = createMortalStorage();
    const before = start(storage);
    for (const text of ["one", "two"]) publishText(before.client, once, text);
    const board = start(storage, change);
    expect(board.keeper.stats).toMatchObject({ held: 0, restored: 0, dropped: 2 });
    expect(outboxCount(board.client.outbox)).toBe(0);
    expect(slots(storage)).toEqual([]);
    expect(resent(start(storage))).toEqual([]);
  });

  it("is nothing with a clean session", () => {
    const storage = createMortalStorage();
    const board = start(storage, { cleanSession: true });
    connect(board);
    expect(publishText(board.client, once, "one")).toBe(true);
    expect(storage.saves).toBe(0);
    expect(publishes(exchange(board))).toEqual(["t one 1 1"]);
  });

  it("does not touch what is the board's own", () => {
    const storage = createMortalStorage();
    for (let slot = 0; slot < 8; slot++) storage.records.set(slot, Uint8Array.of(slot));
    const board = start(storage);
    connect(board);
    for (let i = 0; i < 55; i++) publishText(board.client, once, `${i}`);
    start(storage, { cleanSession: true });
    expect([...storage.records]).toEqual(Array.from({ length: 8 }, (_, slot) => [slot, Uint8Array.of(slot)]));
  });

  it("is dropped when it is no record, is one that is cut short, or has a bit flipped that matters", () => {
    const storage = createMortalStorage();
    publishText(start(storage).client, once, "one");
    const record = storage.records.get(FIRST) ?? new Uint8Array(0);
    const foreign = [new Uint8Array(1), new Uint8Array(10), new Uint8Array(1024).fill(255), record.subarray(0, 14), record.subarray(0, 9)];
    // The kind; QoS 0 and 3, and DUP; the session; a topic longer than the record, none, and one with a wildcard; no identifier.
    for (const [at, ...bytes] of [[0, 0x21], [1, 0x30], [1, 0x36], [1, 0x3a], [1, 0xb2], [2, 7], [10, 1, 0], [10, 0, 0], [12, 0x23], [13, 0, 0]]) {
      const damaged = Uint8Array.from(record);
      damaged.set(bytes, at);
      foreign.push(damaged);
    }
    for (const each of foreign) {
      storage.records.set(FIRST, each);
      const board = start(storage);
      expect({ each, stats: board.keeper.stats }).toMatchObject({ each, stats: { restored: 0, dropped: 1 } });
      expect(storage.records.has(FIRST)).toBe(false);
      expect(resent(board)).toEqual([]);
    }
  });

  it("never stops a board, whatever is in the slots", () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ minLength: 1024, maxLength: 1024 }));
    const template = createMortalStorage();
    publishText(start(template).client, once, "one");
    const whole = template.records.get(FIRST) ?? new Uint8Array(0);
    const changed = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.integer({ min: 1, max: whole.length })).map(([at, byte, length]) => {
      const record = Uint8Array.from(whole);
      record[at] = byte;
      return record.slice(0, length);
    });
    const records = fc.array(fc.tuple(fc.integer({ min: 8, max: 63 }), fc.oneof(bytes, changed, changed)), { maxLength: 12 });
    fc.assert(
      fc.property(records, (given) => {
        const storage = createMortalStorage();
        for (const [slot, record] of given) if (record.length > 0) storage.records.set(slot, record);
        const board = start(storage);
        const { held, restored } = board.keeper.stats;
        expect(held).toBe(restored);
        expect(outboxCount(board.client.outbox)).toBe(restored);
        // What goes out is MQTT: the link of the test lets nothing else pass.
        expect(resent(board)).toHaveLength(restored);
        expect(publishText(board.client, once, "and on")).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("is read once where two records have one identifier: the older one is right", () => {
    const storage = createMortalStorage();
    publishText(start(storage).client, once, "one");
    const copy = Uint8Array.from(storage.records.get(FIRST) ?? []);
    copy[9] = 5;
    storage.records.set(FIRST + 7, copy);
    const board = start(storage);
    expect(board.keeper.stats).toMatchObject({ restored: 1, dropped: 1 });
    expect(slots(storage)).toEqual([FIRST]);
  });

  it("is not more than the outbox has room for", () => {
    const storage = createMortalStorage();
    const before = start(storage);
    for (let i = 0; i < 20; i++) publishText(before.client, once, `${i}`);
    const board = start(storage, { outboxSlots: 12 });
    expect(board.keeper.stats).toMatchObject({ restored: 12, dropped: 8 });
    expect(resent(board)).toHaveLength(12);
  });
});

describe("a message that cannot be kept", () => {
  it("is refused when 55 are kept, until one is over", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    connect(board);
    for (let i = 0; i < 55; i++) expect(publishText(board.client, once, `${i}`)).toBe(true);
    expect(canPublish(board.client, once)).toBe(false);
    expect(canPublish(board.client, live)).toBe(true);
    expect(publishText(board.client, once, "one more")).toBe(false);
    expect(board.client.stats.refused).toBe(1);
    expect(board.keeper.stats).toMatchObject({ held: 55, refused: 1 });
    exchange(board);
    fromBroker(board, { cmd: "puback", messageId: 30 });
    passTime(board, 0);
    expect(canPublish(board.client, once)).toBe(true);
    expect(publishText(board.client, once, "one more")).toBe(true);
    const again = resent(start(storage));
    expect(again).toHaveLength(55);
    expect(again.at(-1)).toBe("t one more 1 57 dup");
  });

  it("is refused when the medium takes none: nothing goes out, and it is tried again when something is over, or later", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    connect(board);
    publishText(board.client, once, "one");
    storage.refuses = true;
    expect(publishText(board.client, once, "two")).toBe(false);
    expect(canPublish(board.client, once)).toBe(false);
    expect(publishes(exchange(board))).toEqual(["t one 1 1"]);
    storage.refuses = false;
    passTime(board, 9000);
    expect(canPublish(board.client, once)).toBe(false);
    passTime(board, 2000);
    expect(publishText(board.client, once, "three")).toBe(true);
    storage.refuses = true;
    expect(publishText(board.client, once, "four")).toBe(false);
    storage.refuses = false;
    fromBroker(board, { cmd: "puback", messageId: 1 });
    passTime(board, 0);
    expect(publishText(board.client, once, "five")).toBe(true);
    expect(board.client.stats).toMatchObject({ published: 3, refused: 2 });
  });

  it("is refused while what is over cannot be taken off the medium, which is tried every ten seconds", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    connect(board);
    publishText(board.client, once, "one");
    exchange(board);
    storage.stuck = true;
    fromBroker(board, { cmd: "puback", messageId: 1 });
    passTime(board, 5000);
    expect(publishText(board.client, once, "two")).toBe(false);
    expect(canPublish(board.client, once)).toBe(false);
    storage.stuck = false;
    passTime(board, 6000);
    expect(slots(storage)).toEqual([]);
    expect(publishText(board.client, once, "three")).toBe(true);
  });

  it("is in RAM only when the wear allowed for is used up, and counted; with time there is more", () => {
    const storage = createMortalStorage();
    const board = start(storage, {}, 2);
    connect(board);
    for (const text of ["one", "two", "three", "four"]) expect(publishText(board.client, once, text)).toBe(true);
    expect(board.keeper.stats).toMatchObject({ kept: 2, passed: 2, refused: 0 });
    expect(publishes(exchange(board))).toHaveLength(4);
    for (const messageId of [1, 2, 3, 4]) fromBroker(board, { cmd: "puback", messageId });
    passTime(board, 29_000);
    publishText(board.client, once, "five");
    passTime(board, 2000);
    publishText(board.client, once, "six");
    publishText(board.client, once, "seven");
    expect(board.keeper.stats).toMatchObject({ kept: 3, passed: 4 });
    expect(resent(start(storage))).toEqual(["t six 1 6 dup"]);
  });

  it("is one of those after half an hour's worth at once, however long the board was quiet", () => {
    const storage = createMortalStorage();
    const board = start(storage, { outboxSlots: 60, keepAlive: 0 }, 1);
    connect(board);
    passTime(board, 24 * 3600 * 1000);
    for (let i = 0; i < 40; i++) publishText(board.client, once, `${i}`);
    expect(board.keeper.stats).toMatchObject({ kept: 30, passed: 10 });
  });
});

describe("a session that is kept", () => {
  it("goes on over links that come and go, as one in RAM does", () => {
    const storage = createMortalStorage();
    const board = start(storage);
    connect(board);
    publishText(board.client, once, "one");
    exchange(board);
    reconnect(board, true);
    expect(publishes(exchange(board))).toEqual(["t one 1 1 dup"]);
    reconnect(board, false);
    expect(publishes(exchange(board))).toEqual(["t one 1 1"]);
    fromBroker(board, { cmd: "puback", messageId: 1 });
    passTime(board, 0);
    expect(slots(storage)).toEqual([]);
  });
});

describe("QoS 2 that is kept", () => {
  const exactly = createPublication("t", 2, false, 100);

  function startTwo(storage: MortalStorage, change: Partial<ClientOptions> = {}, perMinute = 500): Board & { heard: string[] } {
    const exactlyOnce = createExactlyOnce({ sending: 8, receiving: 4 });
    const board = start(storage, { exactlyOnce, ...change }, perMinute);
    const listener = createListener();
    addSubscription(board.client, "#", 2, listener);
    return { ...board, heard: listener.heard };
  }

  function said(board: Board): string[] {
    return exchange(board).filter(({ cmd }) => cmd !== "subscribe").map((packet) => `${packet.cmd} ${packet.messageId ?? 0}`);
  }

  it("[MQTT-4.3.3-1] [MQTT-4.6.0-4] goes on with PUBREL after a restart, in the order of the PUBRECs, before any message", () => {
    const storage = createMortalStorage();
    const before = startTwo(storage);
    connect(before);
    for (const text of ["one", "two", "three"]) publishText(before.client, exactly, text);
    exchange(before);
    // Identifier 1 is the subscription's.
    for (const messageId of [3, 2]) fromBroker(before, { cmd: "pubrec", messageId });
    expect(slots(storage)).toEqual([FIRST, FIRST + 1, FIRST + 2]);
    expect([...storage.records.values()].map((record) => record.length)).toContain(12);
    const board = startTwo(storage);
    connect(board, true);
    expect(said(board)).toEqual(["pubrel 3", "pubrel 2", "publish 4"]);
    for (const messageId of [3, 2]) fromBroker(board, { cmd: "pubcomp", messageId });
    passTime(board, 0);
    expect(slots(storage)).toEqual([FIRST + 2]);
    const after = startTwo(storage);
    connect(after, true);
    expect(publishes(exchange(after))).toEqual(["t three 2 4 dup"]);
  });

  it("says no PUBREL that could not be kept: the message goes again on the next link", () => {
    const storage = createMortalStorage();
    const board = startTwo(storage);
    connect(board);
    publishText(board.client, exactly, "one");
    said(board);
    storage.refuses = true;
    fromBroker(board, { cmd: "pubrec", messageId: 2 });
    expect(said(board)).toEqual([]);
    storage.refuses = false;
    const after = startTwo(storage);
    connect(after, true);
    expect(publishes(exchange(after))).toEqual(["t one 2 2 dup"]);
  });

  it("does not lose a message that was never sent to a broker that knows nothing of it", () => {
    const storage = createMortalStorage();
    publishText(startTwo(storage).client, exactly, "one");
    // It was restarted again before it ever got to its broker.
    startTwo(storage);
    const board = startTwo(storage);
    connect(board, false);
    expect(publishes(exchange(board))).toEqual(["t one 2 1"]);
    // Now it may have been sent.
    const again = startTwo(storage);
    connect(again, true);
    expect(publishes(exchange(again))).toEqual(["t one 2 1 dup"]);
    const lost = startTwo(storage);
    connect(lost, false);
    expect(publishes(exchange(lost))).toEqual([]);
    expect(lost.events).toContain("session lost, 1 discarded");
    expect(slots(storage).filter((slot) => slot >= FIRST)).toEqual([]);
  });

  it("begins no session of which it could not write down that it sees what was never sent", () => {
    const storage = createMortalStorage();
    const board = startTwo(storage);
    publishText(board.client, exactly, "one");
    storage.refuses = true;
    connect(board, false);
    expect(exchange(board)).toEqual([]);
    expect(board.client.fault).toBe(Fault.Full);
    storage.refuses = false;
    finishClosing(board);
    connect(board, true);
    expect(publishes(exchange(board))).toEqual(["t one 2 1"]);
    const after = startTwo(storage);
    connect(after, false);
    expect(publishes(exchange(after))).toEqual([]);
  });

  it("[MQTT-3.1.2-6] gives up PUBRELs with the session that they belong to, and leaves none behind", () => {
    const storage = createMortalStorage();
    const before = startTwo(storage);
    connect(before);
    publishText(before.client, exactly, "one");
    exchange(before);
    fromBroker(before, { cmd: "pubrec", messageId: 2 });
    const board = startTwo(storage);
    connect(board, false);
    expect(said(board)).toEqual([]);
    expect(board.events).toContain("session lost, 1 discarded");
    expect(slots(storage).filter((slot) => slot >= FIRST)).toEqual([]);
  });

  it("[MQTT-4.3.3-2] delivers no copy after a restart, and a new message with the same identifier once PUBREL has come", () => {
    const storage = createMortalStorage();
    const before = startTwo(storage);
    connect(before);
    fromBroker(before, message("a", "one", { qos: 2, messageId: 7 }));
    expect(before.heard).toEqual(["a one 2"]);
    const board = startTwo(storage);
    connect(board, true);
    fromBroker(board, message("a", "one", { qos: 2, messageId: 7, dup: true }));
    expect(board.heard).toEqual([]);
    expect(said(board)).toEqual(["pubrec 7"]);
    fromBroker(board, { cmd: "pubrel", messageId: 7 });
    expect(said(board)).toEqual(["pubcomp 7"]);
    const after = startTwo(storage);
    connect(after, true);
    fromBroker(after, message("a", "two", { qos: 2, messageId: 7 }));
    expect(after.heard).toEqual(["a two 2"]);
  });

  it("neither delivers nor confirms what could not be written down, and says no PUBCOMP that could not be", () => {
    const storage = createMortalStorage();
    const board = startTwo(storage);
    connect(board);
    exchange(board);
    storage.refuses = true;
    fromBroker(board, message("a", "one", { qos: 2, messageId: 7 }));
    expect(board.heard).toEqual([]);
    expect(exchange(board)).toEqual([]);
    storage.refuses = false;
    finishClosing(board);
    connect(board, true);
    exchange(board);
    fromBroker(board, message("a", "one", { qos: 2, messageId: 7, dup: true }));
    expect(board.heard).toEqual(["a one 2 dup"]);
    expect(said(board)).toEqual(["pubrec 7"]);
    storage.refuses = true;
    fromBroker(board, { cmd: "pubrel", messageId: 7 });
    expect(exchange(board)).toEqual([]);
    storage.refuses = false;
    finishClosing(board);
    connect(board, true);
    exchange(board);
    fromBroker(board, { cmd: "pubrel", messageId: 7 });
    expect(said(board)).toEqual(["pubcomp 7"]);
  });

  it("refuses a message when the wear allowed for is used up: RAM alone cannot see to it that it comes once", () => {
    const storage = createMortalStorage();
    const board = startTwo(storage, {}, 2);
    connect(board);
    for (const text of ["one", "two"]) expect(publishText(board.client, exactly, text)).toBe(true);
    expect(canPublish(board.client, exactly)).toBe(false);
    expect(canPublish(board.client, once)).toBe(true);
    expect(publishText(board.client, exactly, "three")).toBe(false);
    expect(board.keeper.stats).toMatchObject({ kept: 2, passed: 0, refused: 1 });
    // What was accepted comes to its end: it has been paid for.
    expect(said(board)).toEqual(["publish 2", "publish 3"]);
    fromBroker(board, { cmd: "pubrec", messageId: 2 });
    expect(said(board)).toEqual(["pubrel 2"]);
    fromBroker(board, { cmd: "pubcomp", messageId: 2 });
    passTime(board, 0);
    expect(slots(storage)).toEqual([FIRST + 1]);
  });

  it("delivers what comes in beyond that wear, and counts it; an identifier that was written down is taken off", () => {
    const storage = createMortalStorage();
    const board = startTwo(storage, {}, 1);
    connect(board);
    fromBroker(board, message("a", "one", { qos: 2, messageId: 7 }));
    fromBroker(board, message("a", "two", { qos: 2, messageId: 8 }));
    expect(board.heard).toEqual(["a one 2", "a two 2"]);
    expect(board.keeper.stats.passed).toBe(1);
    exchange(board);
    fromBroker(board, { cmd: "pubrel", messageId: 7 });
    // What was not written down would come twice, should the power fail now; nothing that is new is taken for a copy.
    const after = startTwo(storage);
    connect(after, true);
    fromBroker(after, message("a", "three", { qos: 2, messageId: 7 }));
    expect(after.heard).toEqual(["a three 2"]);
  });

  it("is dropped by a client that does not do QoS 2 any more", () => {
    const storage = createMortalStorage();
    const before = startTwo(storage);
    connect(before);
    for (const text of ["one", "two"]) publishText(before.client, exactly, text);
    exchange(before);
    fromBroker(before, { cmd: "pubrec", messageId: 2 });
    fromBroker(before, message("a", "one", { qos: 2, messageId: 7 }));
    const board = start(storage);
    expect(board.keeper.stats).toMatchObject({ restored: 0, dropped: 3 });
    expect(slots(storage)).toEqual([]);
  });
});
