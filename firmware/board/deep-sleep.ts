/**
 * A board that sleeps between its readings, for batteries:
 *
 *     export default board({
 *       name: "meadow",
 *       power: deepSleep(),
 *       telemetry: { every: "interval", fields: ["seq", "temperature", "awake"] },
 *       …
 *     });
 *
 * When a reading is due the sensors are read, the message is put into the outbox and the module is woken; it joins, the
 * session begins, and everything is published. When the broker has acknowledged all of it, and has had nothing to say for a
 * while (commands that it holds for a session that is kept come right behind its CONNACK), the board leaves with DISCONNECT
 * and the module is switched off: held in reset where there is a reset line, ordered to deep sleep where there is none.
 *
 * The chip keeps its memory and idles. It wakes at least every 4 s for its watchdog, which takes it microseconds.
 *
 * A waking that has come to nothing in a minute ends all the same; what it had to say stays in the outbox. After n of them
 * in a row, 2^n - 1 readings, but no more than an hour of them, go into the outbox without a try.
 *
 * Who is away most of the time is not gone: `availability` says `online` while the board sleeps, and `offline` when it went
 * silent while it was awake, until the next time. Whoever wants to know of a board that does not wake any more goes by the
 * age of its telemetry (`expire_after` in Home Assistant).
 */
import type { Hal, Millis } from "../../hal/hal";
import { div } from "#native";
import { backoffReset } from "../core/backoff";
import { createJsonKey, jsonFieldRoom, writeJsonFixed, writeJsonNull } from "../core/json";
import { arm, createDeadline, type Deadline, disarm, elapsed, isDue, later, LONGEST_WAIT, sooner, waitFor } from "../core/time";
import { type Writer, writeDecimal, writeText } from "../core/writer";
import { clientLeave, clientPoll, clientStart } from "../mqtt/client";
import { type Client, ClientState } from "../mqtt/client-state";
import { outboxCount } from "../mqtt/outbox";
import { anyIn, SubscriptionState } from "../mqtt/subscriptions";
import { beginSleep, createModuleSleep, endSleep, type ModuleSleep, pollSleep, sleepAt, SleepStep, sleepWait } from "../wifi/module-sleep";
import { Way, type WifiModule } from "../wifi/module";
import { pollNumbers } from "./number";
import { complain, type Parts, sampleParts } from "./parts";
import { type Power, type PowerSpec } from "./power";
import { pollTelemetry, type Telemetry } from "./telemetry";

export interface DeepSleepOptions {
  /** After so many seconds awake, 5 to 600, a board goes back to sleep whatever it has achieved. Left out: 60. */
  readonly awakeAtMost?: number;
  /** How long the broker must have had nothing to say, in milliseconds, 0 to 10000. Left out: 500. */
  readonly listen?: number;
}

const enum Stage {
  Awake,
  /** On its way out of the session. */
  Leaving,
  /** The stream is closed: the module gets its last packets into the air. */
  Closing,
  /** A module without a reset line is ordered to sleep. */
  Ordering,
  Asleep,
  /** A reading is due; a module that wakes by its own clock has not done so yet. */
  Waiting,
}

const AWAKE_AT_MOST = 60;
const LISTEN = 500;
/** How long leaving may take, in milliseconds: farewell and DISCONNECT, and the end of the stream. */
const LEAVING = 3000;
const CLOSING = 200;
/** The longest time without a try, in seconds. */
const LONGEST_PAUSE = 3600;

interface Sleeper {
  readonly hal: Hal;
  readonly parts: Parts;
  readonly client: Client;
  readonly wifi: WifiModule;
  readonly awakeAtMost: number;
  readonly listen: number;
  /** Without a reset line. */
  readonly module: ModuleSleep | undefined;
  telemetry: Telemetry | undefined;
  stage: Stage;
  stopping: boolean;
  /** When the stage is over: it is time to leave, the leaving took too long, the last packets are out, the module is late. */
  readonly timer: Deadline;
  /** When nothing has come, and nothing had to be said, for long enough. */
  readonly quiet: Deadline;
  /** Messages received when that was looked at last, and sessions when this waking began. */
  received: number;
  sessions: number;
  wokenAt: Millis;
  /** Milliseconds; -1 before the first sleep. */
  awake: number;
  wakings: number;
  /** Those after which something was left to say. */
  undelivered: number;
  /** How many readings go by after the next such one. */
  pause: number;
  /** Readings that are still to go into the outbox without a try. */
  skipped: number;
}

/** @boot */
export function deepSleep(options: DeepSleepOptions = {}): PowerSpec {
  return {
    /** @boot */
    create(parts, wifi) {
      return createPower(parts, wifi, options);
    },
  };
}

/** @boot */
function createPower(parts: Parts, wifi: WifiModule, options: DeepSleepOptions): Power {
  const { hal, client } = parts;
  const order = wifi.status.sleepOrder;
  if (wifi.off === undefined || (!hal.reset.present && order === "")) {
    complain(parts, "the Wi-Fi module can only be put to sleep by its reset line, which this board does not have");
  }
  const sleeper: Sleeper = {
    hal,
    parts,
    client,
    wifi,
    awakeAtMost: (options.awakeAtMost ?? AWAKE_AT_MOST) * 1000,
    listen: options.listen ?? LISTEN,
    module: hal.reset.present ? undefined : createModuleSleep(hal.serial, order),
    telemetry: undefined,
    stage: Stage.Awake,
    stopping: false,
    timer: createDeadline(),
    quiet: createDeadline(),
    received: 0,
    sessions: 0,
    wokenAt: 0,
    awake: -1,
    wakings: 1,
    undelivered: 0,
    pause: 1,
    skipped: 0,
  };
  const farewell = client.farewellPacket;
  client.farewellPacket = undefined;
  return {
    /** @boot */
    field(name, first) {
      const key = createJsonKey(name, first);
      return {
        room: jsonFieldRoom(key),
        write(writer) {
          if (sleeper.awake < 0) writeJsonNull(writer, key);
          else writeJsonFixed(writer, key, sleeper.awake, 0);
        },
      };
    },
    start(now, telemetry) {
      sleeper.telemetry = telemetry;
      beginWaking(sleeper, now);
    },
    sleeps(now) {
      advance(sleeper, now);
      return sleeper.stage > Stage.Closing;
    },
    wait(now) {
      return waitOf(sleeper, now);
    },
    stop() {
      sleeper.stopping = true;
      client.farewellPacket = farewell;
    },
    statusLine(writer, step) {
      return writeStatus(sleeper, writer, step);
    },
  };
}

function advance(sleeper: Sleeper, now: Millis): void {
  switch (sleeper.stage) {
    case Stage.Awake:
      if (!sleeper.stopping) lookAround(sleeper, now);
      return;
    case Stage.Leaving:
      // A client that had nothing to leave is idle at once.
      if (sleeper.client.state === ClientState.Idle) enter(sleeper, now, Stage.Closing, CLOSING);
      else if (isDue(sleeper.timer, now)) switchOff(sleeper, now);
      return;
    case Stage.Closing:
      if (isDue(sleeper.timer, now)) switchOff(sleeper, now);
      return;
    case Stage.Ordering:
      order(sleeper, now);
      return;
    case Stage.Asleep:
      sleepOn(sleeper, now);
      return;
    case Stage.Waiting:
      waitForModule(sleeper, now);
      return;
  }
}

function waitOf(sleeper: Sleeper, now: Millis): number {
  const { stage, module, telemetry, stopping } = sleeper;
  if (stage === Stage.Awake) {
    if (stopping) return LONGEST_WAIT;
    // The quiet begins in the turn that has brought the last answer, not in the next one that something brings about.
    if (!sleeper.quiet.armed && !isBusy(sleeper.parts, sleeper.client)) return 0;
    return sooner(waitFor(sleeper.timer, now), waitFor(sleeper.quiet, now));
  }
  let wait = waitFor(sleeper.timer, now);
  if (stage >= Stage.Ordering && module !== undefined) wait = sooner(wait, sleepWait(module, now));
  if (stage !== Stage.Asleep) return wait;
  wait = sooner(wait, waitFor(sleeper.parts.numbers.save, now));
  return stopping || telemetry === undefined ? wait : sooner(wait, waitFor(telemetry.next, now));
}

function enter(sleeper: Sleeper, now: Millis, stage: Stage, wait: number): void {
  sleeper.stage = stage;
  arm(sleeper.timer, now, wait);
}

/** Awake: whether it is time to leave. */
function lookAround(sleeper: Sleeper, now: Millis): void {
  const client = sleeper.client;
  if (isDue(sleeper.timer, now)) {
    leave(sleeper, now);
  } else if (isBusy(sleeper.parts, client)) {
    disarm(sleeper.quiet);
  } else if (!sleeper.quiet.armed || client.stats.received !== sleeper.received) {
    sleeper.received = client.stats.received;
    arm(sleeper.quiet, now, sleeper.listen);
  } else if (isDue(sleeper.quiet, now)) {
    leave(sleeper, now);
  }
}

/** Whether anything is still to be said, or to be answered. */
function isBusy(parts: Parts, client: Client): boolean {
  if (client.state !== ClientState.Online || client.controlDue || client.announce || outboxCount(client.outbox) > 0) return true;
  if (client.exactlyOnce !== undefined && client.exactlyOnce.releases.count > 0) return true;
  if (anyIn(client.subscriptions, SubscriptionState.Wanted) || anyIn(client.subscriptions, SubscriptionState.Asked)) return true;
  for (let i = 0; i < parts.states.length; i++) {
    if (parts.states[i]?.stale === true) return true;
  }
  for (let i = 0; i < parts.rules.length; i++) {
    if (parts.rules[i]?.pending === true) return true;
  }
  return false;
}

function leave(sleeper: Sleeper, now: Millis): void {
  disarm(sleeper.quiet);
  // Whoever leaves on time has nothing left to wait for, and whoever has run out of time does not wait any more.
  clientLeave(sleeper.client, now, 0);
  enter(sleeper, now, Stage.Leaving, LEAVING);
}

function switchOff(sleeper: Sleeper, now: Millis): void {
  const achieved = countWaking(sleeper);
  if (sleeper.module === undefined) {
    forgetModule(sleeper, now);
    sleeper.hal.reset.hold(true);
  } else {
    // Behind a stream that was closed in good order no send is under way, and most wakings end so.
    const idle = achieved && sleeper.stage === Stage.Closing && sleeper.wifi.status.way === Way.Joined;
    beginSleep(sleeper.module, now, nextTry(sleeper), sleeper.wifi.status.baud, !idle);
    enter(sleeper, now, Stage.Ordering, LONGEST_WAIT);
  }
}

/** The driver is to begin anew. What is left of its link goes down with it, and the client becomes idle. */
function forgetModule(sleeper: Sleeper, now: Millis): void {
  if (sleeper.wifi.off !== undefined) sleeper.wifi.off(now);
  sleeper.awake = elapsed(now, sleeper.wokenAt);
  sleeper.stage = Stage.Asleep;
  disarm(sleeper.timer);
}

/** Whether a waking has achieved all that it was to, and how many readings go by before the next one if not. */
function countWaking(sleeper: Sleeper): boolean {
  const { client, telemetry } = sleeper;
  if (outboxCount(client.outbox) === 0 && client.stats.sessions !== sleeper.sessions) {
    sleeper.pause = 1;
    sleeper.skipped = 0;
    return true;
  }
  sleeper.undelivered++;
  const most = telemetry === undefined ? 0 : div(LONGEST_PAUSE, telemetry.every.value);
  sleeper.skipped = sooner(sleeper.pause, most);
  if (sleeper.pause < LONGEST_PAUSE) sleeper.pause = sleeper.pause * 2 + 1;
  return false;
}

/** When the module is wanted next. */
function nextTry({ telemetry, skipped }: Sleeper): Millis {
  return telemetry === undefined ? 0 : later(telemetry.next.at, skipped * telemetry.every.value * 1000);
}

function order(sleeper: Sleeper, now: Millis): void {
  const module = sleeper.module;
  if (module === undefined) return;
  pollSleep(module, now);
  if (module.step === SleepStep.Ordering) return;
  forgetModule(sleeper, now);
  sleepAt(module, sleeper.wifi.status.baud);
}

/** Asleep: numbers that were set are saved; a reading that is due is taken, and then mostly the module is woken. */
function sleepOn(sleeper: Sleeper, now: Millis): void {
  const { module, telemetry, parts, client } = sleeper;
  if (module !== undefined) pollSleep(module, now);
  pollNumbers(parts.numbers, now);
  if (sleeper.stopping || telemetry === undefined || !isDue(telemetry.next, now)) return;
  sampleParts(parts, now);
  pollTelemetry(telemetry, client, now);
  // For what keeps messages: nobody else turns an idle client.
  clientPoll(client, now);
  if (sleeper.skipped > 0) {
    sleeper.skipped--;
  } else if (module === undefined || module.step === SleepStep.Up) {
    wake(sleeper, now);
  } else {
    sleeper.wokenAt = now;
    enter(sleeper, now, Stage.Waiting, module.late);
  }
}

function waitForModule(sleeper: Sleeper, now: Millis): void {
  const module = sleeper.module;
  if (module === undefined) return;
  pollSleep(module, now);
  // The driver knows what to do about a module that does not wake.
  if (module.step === SleepStep.Up || sleeper.stopping || isDue(sleeper.timer, now)) wake(sleeper, now);
}

function wake(sleeper: Sleeper, now: Millis): void {
  if (sleeper.module !== undefined) endSleep(sleeper.module);
  sleeper.wakings++;
  beginWaking(sleeper, now);
  if (sleeper.stopping) return;
  // Each waking is a new beginning: what the one before has learnt to wait for is hours ago.
  backoffReset(sleeper.client.backoff);
  clientStart(sleeper.client, now);
}

function beginWaking(sleeper: Sleeper, now: Millis): void {
  sleeper.wokenAt = now;
  sleeper.sessions = sleeper.client.stats.sessions;
  disarm(sleeper.quiet);
  enter(sleeper, now, Stage.Awake, sleeper.awakeAtMost);
}

function writeStatus(sleeper: Sleeper, writer: Writer, step: number): boolean {
  switch (step) {
    case 0:
      writeText(writer, "power=");
      writeText(writer, sleeper.stage > Stage.Closing ? "asleep" : "awake");
      return true;
    case 1:
      writeText(writer, "power.awake=");
      writeDecimal(writer, sleeper.awake < 0 ? 0 : sleeper.awake);
      return true;
    case 2:
      writeText(writer, "power.wakings=");
      writeDecimal(writer, sleeper.wakings);
      return true;
    case 3:
      writeText(writer, "power.undelivered=");
      writeDecimal(writer, sleeper.undelivered);
      return true;
    case 4:
      writeText(writer, "power.refused=");
      writeDecimal(writer, sleeper.module === undefined ? 0 : sleeper.module.refused);
      return true;
    default:
      return false;
  }
}
