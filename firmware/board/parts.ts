/**
 * The parts that a board is put together from at boot, by name, and what each kind of part brings along: a relay or a
 * number has a command topic and a state topic, a reading is sampled, a rule has its topic.
 */
import type { Bytes, Hal, Millis } from "../../hal/hal";
import { u16At } from "#native";
import { arm, createDeadline, type Deadline } from "../core/time";
import { writeDecimal, writeText } from "../core/writer";
import { addSubscription } from "../mqtt/client";
import { type Client } from "../mqtt/client-state";
import { isTopicName } from "../mqtt/topic";
import { type Commands, type CommandTarget, createCommand, createCommands } from "./command";
import { commandNumber, createNumber, createNumbers, type Numbers, type NumberSetting, type NumberSpec } from "./number";
import { type Journal } from "./journal";
import { nameProblem } from "./names";
import { createReading, type Reading, type ReadingSpec, sampleReading } from "./reading";
import { commandRelay, createRelay, type Relay, type RelaySpec } from "./relay";
import { createRule, type Rule, sampleRule } from "./rule";
import { createStateTopic, type StateTopic } from "./state-topic";
import { type Sequence } from "./telemetry";

/** How often sensors are read and rules looked at, in milliseconds. */
const SAMPLE_EVERY = 1000;
/** The longest payload of a relay's and of a number's state. */
const LONGEST_RELAY_STATE = 3;
const LONGEST_NUMBER_STATE = 11;

/** Where the name begins in an encoded topic: behind its length. */
const TOPIC_NAME_AT = 2;

/** At most 16 fields: with one more, the record takes 256 bytes more of a chip's RAM. */
export interface Parts {
  readonly hal: Hal;
  readonly client: Client;
  /** `moth/<device>/`, what every topic begins with. */
  readonly prefix: string;
  readonly commands: Commands;
  readonly numbers: Numbers;
  readonly readings: Reading[];
  readonly rules: Rule[];
  readonly states: StateTopic[];
  readonly readingOf: Record<string, Reading>;
  readonly relayOf: Record<string, Relay>;
  readonly numberOf: Record<string, NumberSetting>;
  readonly journal: Journal;
  readonly sequence: Sequence;
  /** When the sensors are read next. */
  readonly sample: Deadline;
  /** What could not be put together, as a sentence; empty when all is well. */
  problem: string;
  /** The names that are given away. */
  readonly names: string[];
}

/** Notes what could not be put together. The first problem is the one that is told. */
export function complain(parts: Parts, problem: string): void {
  if (parts.problem === "") parts.problem = problem;
}

/** Takes a name for a part of the board. @boot */
function takeName(parts: Parts, name: string): void {
  complain(parts, nameProblem(name, parts.names));
  parts.names.push(name);
}

/** `record` is lent to the numbers: see `createNumbers`. @boot */
export function createParts(hal: Hal, client: Client, prefix: string, journal: Journal, record: Bytes): Parts {
  return {
    hal,
    client,
    prefix,
    commands: createCommands(client, prefix + "error", journal),
    numbers: createNumbers(hal.storage, record),
    readings: [],
    rules: [],
    states: [],
    readingOf: {},
    relayOf: {},
    numberOf: {},
    journal,
    sequence: { count: 0 },
    sample: createDeadline(),
    problem: "",
    names: [],
  };
}

/** Reads all sensors, and looks at the rules. */
export function sampleParts(parts: Parts, now: Millis): void {
  arm(parts.sample, now, SAMPLE_EVERY);
  for (let i = 0; i < parts.readings.length; i++) {
    const reading = parts.readings[i];
    if (reading !== undefined) sampleReading(reading, parts.hal.analog);
  }
  for (let i = 0; i < parts.rules.length; i++) {
    const rule = parts.rules[i];
    if (rule !== undefined) sampleRule(rule);
  }
}

/** @boot */
export function addReading(parts: Parts, name: string, spec: ReadingSpec): void {
  takeName(parts, name);
  const reading = createReading(spec);
  parts.readings.push(reading);
  parts.readingOf[name] = reading;
}

/** `<name>/set` takes ON or OFF, `<name>` says which. @boot */
export function addRelay(parts: Parts, name: string, spec: RelaySpec): void {
  takeName(parts, name);
  const relay = createRelay(parts.hal.pins, spec);
  if (relay === undefined) {
    complain(parts, "the board has no such pin as that of the relay " + name);
    return;
  }
  parts.relayOf[name] = relay;
  const state = createStateTopic(parts.prefix + name, LONGEST_RELAY_STATE, {
    writeState(writer) {
      writeText(writer, relay.on ? "ON" : "OFF");
    },
  });
  parts.states.push(state);
  addCommand(parts, name, {
    obey(_now, bytes, at, count) {
      const reason = commandRelay(relay, bytes, at, count);
      if (reason === "") state.stale = true;
      return reason;
    },
  });
}

/** `<name>/set` takes a number, `<name>` says which it is; `changed` is told when it is another than before. @boot */
export function addNumber(parts: Parts, name: string, spec: NumberSpec, changed: NumberListener): void {
  takeName(parts, name);
  if (spec.min < 0 || spec.initial < spec.min || spec.initial > spec.max) {
    complain(parts, "the number must begin within its range, which is not below 0: " + name);
  }
  const number = createNumber(parts.numbers, name, spec);
  parts.numberOf[name] = number;
  const state = createStateTopic(parts.prefix + name, LONGEST_NUMBER_STATE, {
    writeState(writer) {
      writeDecimal(writer, number.value);
    },
  });
  parts.states.push(state);
  addCommand(parts, name, {
    obey(now, bytes, at, count) {
      const before = number.value;
      const reason = commandNumber(parts.numbers, number, now, bytes, at, count);
      if (reason === "") state.stale = true;
      if (number.value !== before) changed.numberSet(now, number);
      return reason;
    },
  });
}

/** Who wants to know that a number has changed. */
export interface NumberListener {
  numberSet(now: Millis, number: NumberSetting): void;
}

/** @boot */
function addCommand(parts: Parts, name: string, target: CommandTarget): void {
  const command = name + "/set";
  const handler = createCommand(parts.commands, command, target);
  // A board that can do so obeys each command once, whatever is repeated on the way.
  const qos = parts.client.exactlyOnce === undefined ? 1 : 2;
  if (addSubscription(parts.client, parts.prefix + command, qos, handler) === undefined) {
    complain(parts, "no room for a subscription to " + command);
  }
}

/** @boot */
export function addRule(
  parts: Parts,
  when: string,
  above: number,
  hysteresis: number,
  topic: string,
  payload: string,
): void {
  const reading = parts.readingOf[when];
  if (reading === undefined) {
    complain(parts, "a rule names no reading: " + when);
    return;
  }
  const rule = createRule(reading, above, hysteresis, parts.prefix + topic, payload);
  const head = rule.publication.head;
  if (isTopicName(head, TOPIC_NAME_AT, u16At(head, 0))) parts.rules.push(rule);
  else complain(parts, "a rule publishes to what is no topic name: " + topic);
}
