/** Puts a board together from its declaration, at boot, and turns it. */
import type { Hal, Millis } from "../../hal/hal";
import { isText } from "#native";
import { arm, isDue, later, sooner, waitFor } from "../core/time";
import { brokerOf } from "../mqtt/brokers";
import { addSubscription, clientAnnounce, clientLeave, clientPoll, clientStart, clientWait, createClient } from "../mqtt/client";
import { type Client, type ClientOptions, ClientState, Mistake } from "../mqtt/client-state";
import { type Notice } from "../mqtt/connect";
import { type Keeper } from "../mqtt/keeper";
import { WhenFull } from "../mqtt/publication";
import { type MessageHandler } from "../mqtt/subscriptions";
import { type Security, Trust, type WifiEvents, type WifiFamily, type WifiModule, type WifiOptions } from "../wifi/module";
import { type Board } from "./application";
import { consolePoll, consoleWait, createConsole } from "./console";
import { type Console } from "./console-state";
import { startText } from "./console-status";
import { crashReportDropped, type CrashReport, createCrashReport, pollCrashReport } from "./crash-report";
import { createJournal, Happening, type Journal, note, reasonOf } from "./journal";
import { type NumberSpec, pollNumbers } from "./number";
import { createSortedNames } from "./names";
import { addNumber, addReading, addRelay, addRule, complain, createParts, type NumberListener, type Parts, sampleParts } from "./parts";
import { type Power } from "./power";
import { type ReadingSpec } from "./reading";
import { type RelaySpec } from "./relay";
import { pollRule, ruleDropped } from "./rule";
import { loadSettings, type Settings } from "./settings";
import { SIZES } from "./sizes";
import { type BoardSpec, type BoardTls, type MqttFeatures, type TelemetryPolicy } from "./spec";
import { pollStateTopic, stateDropped } from "./state-topic";
import { isBetween } from "./text-checks";
import {
  createReadingField,
  createRelayField,
  createSequenceField,
  createTelemetry,
  createUptimeField,
  type Field,
  hurryFirstTelemetry,
  pollTelemetry,
  restartTelemetry,
  type Telemetry,
} from "./telemetry";
import { countUptime, createUptime } from "./uptime";

/** A program that does not turn its loop for this long, in milliseconds, is reset by the watchdog. */
const WATCHDOG = 8000;
/** How long a turn may sleep: well within the watchdog's patience. */
const LONGEST_SLEEP = 4000;
/** Seconds of silence after which the broker takes the board for dead (after half as long again). */
const KEEP_ALIVE = 30;
/** How long a clean stop waits for what is still unacknowledged, in milliseconds. */
const STOP_PATIENCE = 5000;
/** How often, in milliseconds, a quiet stream is asked for bytes whose notice was lost. */
const POLL_EVERY = 2000;
/** The most seconds that are still an int32 of milliseconds. */
const LONGEST_INTERVAL = 2147483;

/** A declaration whose names are not known one by one. */
type AnySpec = BoardSpec<Record<string, ReadingSpec>, Record<string, RelaySpec>, Record<string, NumberSpec>>;

/** @boot */
export function createBoard<
  R extends Record<string, ReadingSpec>,
  L extends Record<string, RelaySpec>,
  N extends Record<string, NumberSpec>,
>(family: WifiFamily, spec: BoardSpec<R, L, N>, hal: Hal, tls: BoardTls | undefined): Board {
  const settings = loadSettings(hal.storage);
  const security = settings.tls ? tls?.create(hal.storage, settings.record, settings.timeServer) : undefined;
  const prefix = "moth/" + (settings.device + "/");
  const journal = createJournal(createUptime(hal.clock.now()), SIZES.journal, tls?.reason ?? noReason);
  note(journal, Happening.Boot, startText(hal.system.cause()), 0);
  const wifi = family(hal, createWifiOptions(settings, security), createWifiEvents(journal));
  const keeper = spec.session === undefined ? undefined : spec.session.create(hal.storage, settings.record);
  const client = createClient(createClientOptions(settings, prefix, keeper, spec.mqtt), wifi.link, hal.entropy, {
    online(now) {
      note(journal, Happening.Online, brokerOf(client).host, 0);
      for (let i = 0; i < parts.states.length; i++) {
        const state = parts.states[i];
        if (state !== undefined) state.stale = true;
      }
      hurryFirstTelemetry(telemetry, now);
    },
    dropped(id) {
      crashReportDropped(crash, id);
      for (let i = 0; i < parts.states.length; i++) {
        const state = parts.states[i];
        if (state !== undefined) stateDropped(state, id);
      }
      for (let i = 0; i < parts.rules.length; i++) {
        const rule = parts.rules[i];
        if (rule !== undefined) ruleDropped(rule, id);
      }
    },
    offline() {
      const happened = client.welcome ? Happening.SessionLost : Happening.ConnectFailed;
      const reason = reasonOf(client.fault, client.refusal, client.lastLoss, wifi.status.trust);
      note(journal, happened, brokerOf(client).host, reason);
    },
  });
  const crash = createCrashReport(hal.system, prefix + "crash", settings.record);
  const parts = createParts(hal, client, prefix, journal, settings.record);
  complain(parts, settings.problem);
  complain(parts, mistakeText(client.mistake));
  if (settings.tls) complain(parts, tlsProblem(wifi, tls, security));
  if (!hal.serial.setBaud(settings.baud)) complain(parts, "the serial port cannot do what wifi.baud says");
  const listener: NumberListener = {
    numberSet(now, number) {
      if (number === telemetry.every) restartTelemetry(telemetry, now);
    },
  };
  declareParts(parts, spec, listener);
  const power = spec.power === undefined ? undefined : spec.power.create(parts, wifi);
  const telemetry = createBoardTelemetry(parts, spec.telemetry, power);
  if (addSubscription(client, prefix + "availability", 1, createAvailabilityWatch(client)) === undefined) {
    complain(parts, "no room for a subscription to availability: the board has too many relays and numbers");
  }

  const console = createConsole(spec.name, hal, parts, wifi, settings, power);

  const begin = hal.clock.now();
  arm(parts.sample, begin, 0);
  restartTelemetry(telemetry, begin);
  hal.watchdog.start(WATCHDOG);
  if (parts.problem === "") {
    clientStart(client, begin);
    if (power !== undefined) power.start(begin, telemetry);
  }

  let stopping = false;
  return {
    problem: parts.problem,
    device: settings.device,
    client,
    wifi,
    commands: parts.commands.stats,
    telemetry: parts.sequence,
    trustReason: journal.trustReason,
    rules: parts.rules,
    poll() {
      turn(parts, wifi, telemetry, crash, console, power);
    },
    stop() {
      if (stopping) return;
      stopping = true;
      if (power !== undefined) power.stop();
      clientLeave(client, hal.clock.now(), STOP_PATIENCE);
    },
    stopped() {
      return stopping && client.state === ClientState.Idle;
    },
  };
}

/** @boot */
function declareParts(parts: Parts, spec: AnySpec, listener: NumberListener): void {
  const readings = createSortedNames(spec.readings);
  for (let i = 0; i < readings.length; i++) {
    const name = readings[i] ?? "";
    const reading = spec.readings[name];
    if (reading !== undefined) addReading(parts, name, reading);
  }
  const relays = createSortedNames(spec.relays);
  for (let i = 0; i < relays.length; i++) {
    const name = relays[i] ?? "";
    const relay = spec.relays[name];
    if (relay !== undefined) addRelay(parts, name, relay);
  }
  const numbers = createSortedNames(spec.numbers);
  for (let i = 0; i < numbers.length; i++) {
    const name = numbers[i] ?? "";
    const number = spec.numbers[name];
    if (number !== undefined) addNumber(parts, name, number, listener);
  }
  const rules = createSortedNames(spec.rules);
  for (let i = 0; i < rules.length; i++) {
    const rule = spec.rules[rules[i] ?? ""];
    if (rule === undefined) continue;
    addRule(parts, rule.when, rule.above, rule.hysteresis, rule.publish.topic, rule.publish.payload);
  }
}

/** One turn: what came in, then what is due, then what goes out, then sleep. */
function turn(
  parts: Parts,
  wifi: WifiModule,
  telemetry: Telemetry,
  crash: CrashReport,
  console: Console,
  power: Power | undefined,
): void {
  const hal = parts.hal;
  const now = hal.clock.now();
  hal.watchdog.feed();
  countUptime(parts.journal.uptime, now);
  let wait = LONGEST_SLEEP;
  if (parts.problem === "") {
    if (power !== undefined && power.sleeps(now)) {
      wait = sooner(wait, power.wait(now));
    } else {
      work(parts, wifi, telemetry, crash, now);
      wait = waitOf(parts, wifi, telemetry, now);
      if (power !== undefined) wait = sooner(wait, power.wait(now));
    }
  }
  consolePoll(console, now);
  hal.idle(later(now, sooner(wait, consoleWait(console, now))));
}

function work(parts: Parts, wifi: WifiModule, telemetry: Telemetry, crash: CrashReport, now: Millis): void {
  const client = parts.client;
  wifi.receive(now);
  if (isDue(parts.sample, now)) sampleParts(parts, now);
  clientPoll(client, now);
  if (!client.leaving) {
    pollCrashReport(crash, client, parts.journal);
    publishDue(parts, telemetry, now);
  }
  pollNumbers(parts.numbers, now);
  wifi.pump(now);
}

/** States first: whoever listens should know how things stand before the next telemetry says so. */
function publishDue(parts: Parts, telemetry: Telemetry, now: Millis): void {
  for (let i = 0; i < parts.states.length; i++) {
    const state = parts.states[i];
    if (state !== undefined) pollStateTopic(state, parts.client);
  }
  for (let i = 0; i < parts.rules.length; i++) {
    const rule = parts.rules[i];
    if (rule !== undefined) pollRule(rule, parts.client);
  }
  pollTelemetry(telemetry, parts.client, now);
}

function waitOf(parts: Parts, wifi: WifiModule, telemetry: Telemetry, now: Millis): number {
  let wait = sooner(wifi.wait(now), clientWait(parts.client, now));
  wait = sooner(wait, waitFor(parts.sample, now));
  wait = sooner(wait, waitFor(parts.numbers.save, now));
  wait = sooner(wait, parts.client.leaving ? LONGEST_SLEEP : waitFor(telemetry.next, now));
  return sooner(wait, LONGEST_SLEEP);
}

/** @boot */
function createBoardTelemetry(
  parts: Parts,
  { every, fields: names, whenFull }: AnySpec["telemetry"],
  power: Power | undefined,
): Telemetry {
  const fields: Field[] = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const field = name === undefined ? undefined : createField(parts, name, i === 0, power);
    if (field === undefined) complain(parts, "telemetry names a field that does not exist");
    else fields.push(field);
  }
  let interval = parts.numberOf[every];
  if (interval === undefined) {
    complain(parts, "telemetry names no number as its interval");
    interval = { name: every, min: 1, max: 1, reason: "", value: 1 };
  }
  if (!isBetween(interval.min, 1, LONGEST_INTERVAL) || interval.max > LONGEST_INTERVAL) {
    complain(parts, "the interval of telemetry must range within 1 to 2147483 s");
  }
  return createTelemetry(parts.prefix + "telemetry", fields, interval, parts.sequence, policyOf(whenFull));
}

/** @boot */
function policyOf(policy: TelemetryPolicy | undefined): WhenFull {
  if (policy === "refuse") return WhenFull.Refuse;
  return policy === "keep newest" ? WhenFull.KeepNewest : WhenFull.DropOldest;
}

/** @boot */
function createField(parts: Parts, name: string, first: boolean, power: Power | undefined): Field | undefined {
  if (name === "awake" && power !== undefined) return power.field(name, first);
  if (name === "seq") return createSequenceField(name, first, parts.sequence);
  if (name === "uptime") return createUptimeField(name, first, parts.journal.uptime);
  const reading = parts.readingOf[name];
  if (reading !== undefined) return createReadingField(name, first, reading);
  const relay = parts.relayOf[name];
  return relay === undefined ? undefined : createRelayField(name, first, relay);
}

/**
 * The broker may publish the will of an earlier link of ours after our own `online`: then the retained topic says
 * `offline` of a board that is there. Whoever says so is put right. @boot
 */
function createAvailabilityWatch(client: Client): MessageHandler {
  return {
    message(_now, message) {
      const offline = isText(message.bytes, message.payloadAt, message.payloadLength, "offline");
      if (offline) clientAnnounce(client);
    },
  };
}

/** @boot */
function createWifiEvents(journal: Journal): WifiEvents {
  return {
    joined(_now, ssid) {
      note(journal, Happening.Joined, ssid, 0);
    },
    joinFailed(_now, ssid, reason) {
      note(journal, Happening.JoinFailed, ssid, reason);
    },
    wifiLost(_now, ssid) {
      note(journal, Happening.WifiLost, ssid, 0);
    },
    moduleReset() {
      note(journal, Happening.ModuleReset, "", 0);
    },
  };
}

/** @boot */
function createWifiOptions(settings: Settings, security: Security | undefined): WifiOptions {
  // Mentioned only when it is wanted: with 8 fields at most, the record takes 128 bytes less.
  const options: Writable<WifiOptions> = {
    networks: settings.networks,
    baud: settings.baud,
    maxBaud: settings.maxBaud,
    window: SIZES.window,
    maxSend: SIZES.send,
    maxReceive: SIZES.receivePiece,
    pollEvery: POLL_EVERY,
    security,
  };
  if (settings.powerSave) options.modemSleep = true;
  return options;
}

/** Why the board cannot do the TLS that it shall. Then it connects to nothing: never without. @boot */
function tlsProblem(wifi: WifiModule, tls: BoardTls | undefined, security: Security | undefined): string {
  if (tls === undefined || security === undefined || wifi.status.trust === Trust.Unsupported) {
    return "setting mqtt.tls: this application has no TLS, give off or flash one that has";
  }
  return tls.problem(security);
}

function noReason(this: void): string {
  return "";
}

/** What the settings ask of the client that it cannot do. @boot */
function mistakeText(mistake: Mistake): string {
  if (mistake === Mistake.FiveMissing) return "setting mqtt.protocol: this application has no MQTT 5, give 3.1.1 or 3.1";
  return mistake === Mistake.ClientId ? "setting device: give at most 23 characters for MQTT 3.1" : "";
}

/** @boot */
function allButFirst<T>(list: readonly T[]): T[] {
  const rest: T[] = [];
  for (let i = 1; i < list.length; i++) {
    const item = list[i];
    if (item !== undefined) rest.push(item);
  }
  return rest;
}

/** @boot */
function createClientOptions(
  settings: Settings,
  prefix: string,
  keeper: Keeper | undefined,
  features: MqttFeatures | undefined,
): ClientOptions {
  const topic = prefix + "availability";
  const will: Notice = { topic, payload: "offline", qos: 1, retain: true };
  // What a board has not is not mentioned: with 16 fields at most, the record takes 256 bytes less.
  const options: Writable<ClientOptions> = {
    host: settings.brokers[0]?.host ?? "",
    port: settings.brokers[0]?.port ?? 0,
    otherBrokers: allButFirst(settings.brokers),
    protocol: settings.protocol,
    clientId: settings.device,
    // A kept session hands over the commands that were sent while the board was away: old orders, which the application
    // has to ask for.
    cleanSession: keeper === undefined,
    keepAlive: KEEP_ALIVE,
    will,
    birth: { topic, payload: "online", qos: 0, retain: true },
    // At QoS 0, whatever it says there: as the birth notice.
    farewell: will,
    outboxSize: SIZES.outbox,
    outboxSlots: SIZES.outboxSlots,
    receiveSize: SIZES.receive,
    subscribeRoom: SIZES.subscribe,
    coalesce: SIZES.outboxSlots,
  };
  if (settings.user !== "") options.userName = settings.user;
  if (settings.password !== "") options.password = settings.password;
  if (keeper !== undefined) options.keeper = keeper;
  if (features?.exactlyOnce !== undefined) options.exactlyOnce = features.exactlyOnce();
  if (features?.five !== undefined && settings.protocol === 5) options.five = features.five();
  return options;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
