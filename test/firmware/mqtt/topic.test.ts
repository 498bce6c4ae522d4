import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendFilter, createFilterList, filterStart, isTopicFilter, isTopicName } from "../../../firmware/mqtt/topic";
import { matchFilter, putText, textLength } from "../../../hal/node/native";

/** A text in the middle of other bytes, so that a function that looks past its range is caught. */
function within(text: string): { bytes: Uint8Array; count: number } {
  const count = textLength(text);
  const bytes = new Uint8Array(count + 4);
  putText(bytes, 0, "/#");
  putText(bytes, 2, text);
  putText(bytes, 2 + count, "#/");
  return { bytes, count };
}

function matches(filter: string, topic: string): boolean {
  const filters = createFilterList(2 + textLength(filter));
  appendFilter(filters, Buffer.from(filter));
  const { bytes, count } = within(topic);
  return matchFilter(filters, 0, bytes, 2, count) === 0;
}

function filterIsGood(filter: string): boolean {
  const { bytes, count } = within(filter);
  return isTopicFilter(bytes, 2, count);
}

function nameIsGood(topic: string): boolean {
  const { bytes, count } = within(topic);
  return isTopicName(bytes, 2, count);
}

/** The examples of MQTT 3.1.1 §4.7, and their neighbours. */
const matching: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/tennis/player1/#", "sport/tennis/player10", false],
  ["sport/#", "sport", true],
  ["sport/#", "sport/", true],
  ["sport/#", "sports", false],
  ["sport/#", "spor", false],
  ["#", "sport", true],
  ["#", "/", true],
  ["#", "a/b/c", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+", "finance", true],
  ["+", "/finance", false],
  ["+", "", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+/+", "finance", false],
  ["+/+/+", "a//b", true],
  ["+/#", "a", true],
  ["+/#", "a/b/c", true],
  ["sport/+/player1", "sport/tennis/player1", true],
  ["sport/+/player1", "sport//player1", true],
  ["sport/+/player1", "sport/a/b/player1", false],
  ["sport/+/player1", "sport/player1", false],
  ["#", "$SYS/monitor/Clients", false],
  ["#", "$SYS", false],
  ["+", "$SYS", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["$SYS/#", "$SYS/monitor/Clients", true],
  ["$SYS/#", "$SYS", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["a/#", "a/$SYS", true],
  ["a/+", "a/$SYS", true],
  ["/a", "a", false],
  ["a", "/a", false],
  ["a/", "a", false],
  ["a", "a/", false],
  ["a/", "a/", true],
  ["/", "/", true],
  ["ACCOUNTS", "Accounts", false],
  ["a b", "a b", true],
  ["°/+", "°/C", true],
  ["\u00e9", "e\u0301", false],
  ["\ufeffa", "a", false],
  // The rest of §4.7.1.2, §4.7.1.3 and §4.7.2, and what the table above leaves out.
  ["+/tennis/#", "sport/tennis/player1", true],
  ["+/tennis/#", "sport/tennis", true],
  ["+/tennis/#", "tennis", false],
  ["+/tennis/#", "/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/", true],
  ["sport/tennis/+", "sport/tennis", false],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients/1", false],
  ["$SYS/#", "$SYS", true],
  ["$SYS/#", "$SYSTEM", false],
  ["$SYS/#", "SYS/a", false],
  ["+/+", "$SYS/monitor", false],
  ["+/#", "$SYS/monitor", false],
  ["/#", "/$SYS", true],
  ["/+", "/$SYS", true],
  ["+/$SYS", "a/$SYS", true],
  ["#", "a/$SYS", true],
  ["$", "$", true],
  ["$/#", "$", true],
  ["a/+/#", "a", false],
  ["a/+/#", "a/b", true],
  ["a/+/#", "a/", true],
  ["a//#", "a/", true],
  ["a//#", "a//", true],
  ["a//#", "a", false],
  ["//", "//", true],
  ["//", "/", false],
  ["+/+/+", "//", true],
  ["+//+", "a//b", true],
  ["+//+", "a/b", false],
  ["/finance", "finance", false],
  ["a/b/c", "a/b", false],
  ["a/b", "a/b/c", false],
  ["a/b", "a/bc", false],
  ["a/bc", "a/b", false],
];

describe("a topic filter", () => {
  it.each(matching)("[MQTT-4.7.1-2] [MQTT5-4.7.1-1] [MQTT-4.7.2-1] [MQTT5-4.7.2-1] %j on %j: %s", (filter, topic, yes) => {
    expect(matches(filter, topic)).toBe(yes);
  });

  it("[MQTT-4.7.3-4] [MQTT5-4.7.3-4] matches the same topics as a plain reading of the rules, for any filter and topic", () => {
    const level = fc.constantFrom("", "a", "b", "ab", "$", "$a");
    const wild = fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constant("+") });
    const filters = fc
      .tuple(fc.array(wild, { minLength: 1, maxLength: 5 }), fc.boolean())
      .map(([levels, hash]) => [...levels, ...(hash ? ["#"] : [])].join("/"));
    const topics = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
    fc.assert(
      fc.property(
        filters.filter((filter) => filter.length > 0),
        topics.filter((topic) => topic.length > 0),
        (filter, topic) => {
          expect(filterIsGood(filter)).toBe(true);
          expect(matches(filter, topic)).toBe(plainlyMatches(filter.split("/"), topic.split("/")));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each([
    "#",
    "+",
    "/",
    "//",
    "/#",
    "+/#",
    "a",
    "a/",
    "/a",
    "a/+/b",
    "a/+/#",
    "sport/tennis/#",
    "+/tennis/#",
    "$SYS/#",
    "a b",
    "\ufeff",
  ])("[MQTT-4.7.3-1] [MQTT5-4.7.3-1] %j is well-formed", (filter) => {
    expect(filterIsGood(filter)).toBe(true);
  });

  it.each(["", "a#", "#a", "a/#/b", "#/", "#/a", "##", "a/##", "a+", "+a", "++", "a/+b/c", "a/b+", "+#", "#+", "a\0b"])(
    "[MQTT-4.7.1-2] [MQTT5-4.7.1-1] [MQTT-4.7.1-3] [MQTT5-4.7.1-2] [MQTT-4.7.3-2] [MQTT5-4.7.3-2] %j is refused",
    (filter) => {
      expect(filterIsGood(filter)).toBe(false);
    },
  );

  it.each<[filter: string, sent: string]>([
    ["$share/group/a/b", "a/b"],
    ["$share/g/#", "#"],
    ["$share/g/+", "+"],
    ["$share/g//finance", "/finance"],
    ["$share/g//", "/"],
    ["$share/°/$SYS/#", "$SYS/#"],
    ["$share/g/$share/h/a", "$share/h/a"],
    ["$SHARE/g/a", "$SHARE/g/a"],
    ["$shared/g/a", "$shared/g/a"],
    ["$share", "$share"],
    ["/$share/g/a", "/$share/g/a"],
    ["a/b", "a/b"],
  ])("[MQTT5-4.8.2-1] [MQTT5-4.8.2-2] %j is known by its %j", (filter, local) => {
    const { bytes, count } = within(filter);
    const start = filterStart(bytes, 2, count);
    expect(Buffer.from(bytes.subarray(start, 2 + count)).toString()).toBe(local);
    expect(isTopicFilter(bytes, start, 2 + count - start)).toBe(true);
  });

  it.each(["$share/", "$share//a", "$share/g", "$share/+/a", "$share/#/a", "$share/g+/a", "$share/g#/a", "$share/g\0/a"])(
    "[MQTT5-4.8.2-1] [MQTT5-4.8.2-2] %j has no share name",
    (filter) => {
      const { bytes, count } = within(filter);
      expect(filterStart(bytes, 2, count)).toBe(-1);
    },
  );

  it.each(matching.filter(([filter, topic]) => filterIsGood(filter) && topic !== ""))(
    "[MQTT5-4.8.2-2] %j on %j: %s, shared or not",
    (filter, topic, yes) => {
      expect(matches(`$share/group/${filter}`, topic)).toBe(yes);
    },
  );

  it("[MQTT-1.5.3-1] is refused when it is not well-formed UTF-8", () => {
    const surrogate = Uint8Array.of(0x61, 0xed, 0xa0, 0x80);
    expect(isTopicFilter(surrogate, 0, 4)).toBe(false);
    expect(isTopicFilter(Uint8Array.of(0xc0, 0xaf), 0, 2)).toBe(false);
  });
});

describe("a topic name", () => {
  it.each(["a", "/", "a/b", "$SYS", "\ufeff", "°", " "])("%j is well-formed", (topic) => {
    expect(nameIsGood(topic)).toBe(true);
  });

  it.each(["", "a/+", "+", "#", "a/#", "a+b", "a#", "\0", "a\0b"])(
    "[MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] %j is refused",
    (topic) => {
      expect(nameIsGood(topic)).toBe(false);
    },
  );
});

/** The rules of §4.7, written to be read. */
function plainlyMatches(filter: readonly string[], topic: readonly string[]): boolean {
  const wildFirst = filter[0] === "+" || filter[0] === "#";
  return !(wildFirst && topic[0]?.startsWith("$") === true) && levelsMatch(filter, topic);
}

function levelsMatch(filter: readonly string[], topic: readonly string[]): boolean {
  if (filter[0] === "#") return true;
  if (filter.length === 0 || topic.length === 0) return filter.length === topic.length;
  if (filter[0] !== "+" && filter[0] !== topic[0]) return false;
  return levelsMatch(filter.slice(1), topic.slice(1));
}
