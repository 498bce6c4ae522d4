/**
 * What the ESP-AT driver knows: its record, the names of its states, and the few changes that more than one part of
 * the driver makes. The parts: `esp-at-ladder` finds a module that does not answer, `esp-at-resync` probes it,
 * `esp-at-setup` sets it up, `esp-at-rate` chooses the rate of the line, `esp-at-join` joins the network, `esp-at-stream`
 * runs the TCP stream, `esp-at-sleep` wakes a module that rests between packets, `esp-at-tls` has streams be TLS, `esp-at`
 * ties them together. `esp-at-dialect` has what differs between generations of modules, `esp-at-lines` what they say.
 */
import type { Entropy, Millis, ResetLine } from "../../hal/hal";
import { div } from "#native";
import { type Backoff } from "../core/backoff";
import { type Link, LinkLoss, LinkState, type LinkUser, type Span } from "../core/link";
import { type Deadline, disarm } from "../core/time";
import { atFinish, type AtEngine } from "./at-engine";
import { type Dialect, ESP_AT_2 } from "./esp-at-dialect";
import { type EspTls } from "./esp-at-tls-state";
import { Way, type WifiEvents, type WifiModule, type WifiOptions, type WifiStatus } from "./module";

/** Where the module is on its way to the network. */
export const enum Phase {
  /** Nothing has been done yet. */
  Off,
  /** Held in reset, or waiting out a hold-off before a reset. */
  Holding,
  /** Released: `ready` is due. */
  Booting,
  /** An answer did not come: finding out what state the module is in. */
  Resync,
  /** Being set up, command by command. */
  SettingUp,
  /** Joining the Wi-Fi network, or pausing before the next try. */
  Joining,
  /** Joined. `gotIp` says whether the network is there right now. */
  Joined,
}

/** The command in the engine's slot. */
export const enum Command {
  None,
  /** Sent for what it may do; an answer is not expected. */
  Blind,
  Probe,
  Setup,
  Join,
  Open,
  Send,
  Receive,
  ReceiveLength,
  Close,
  Signal,
  /** Which links there are, after a send was refused. */
  Links,
  /** `AT` to a module that may be asleep, for the first and for the second time: see `esp-at-sleep.ts`. */
  Wake,
  WakeAgain,
  /** One of the part that makes streams TLS. */
  Secure,
}

/** The TCP stream as the module has it. */
export const enum Stream {
  Closed,
  /** `AT+CIPSTART` is under way for the link that was asked for. */
  Opening,
  /** It carries the link. */
  Open,
  /** The peer has closed it. What the module still has of it is fetched before the link goes down. */
  Rest,
  /** The module has a stream, or may have or get one, whose link is down already: to be closed before the next. */
  Stale,
}

/** What is done about a module that does not answer, in this order: see `esp-at-ladder.ts`. */
export const enum Rung {
  /** It is probed at the rate that it had last. Also where a module is that does answer. */
  Probe,
  /** At the rate that it boots with, which it is at if it has rebooted. */
  StartRate,
  /** It is reset by pin. */
  Pulse,
  /** It is looked for at every rate, and called out of what it may be in the middle of. */
  Hunt,
  /** It is told to reset itself. */
  Order,
  /** A long pulse on the reset pin. */
  LongPulse,
  /** It is left alone, held in reset, for longer each time. */
  HoldOff,
}

/** How a module that may be waiting for a payload, or hands everything on to a peer, is called back. */
export const enum Escape {
  None,
  /** `+++` on its own. */
  Plus,
  /** Zeros, for as many bytes as it may be waiting for. */
  Fill,
}

/** How far the change to another rate has come. */
export const enum RateStep {
  Idle,
  /** The board's own port is tried. */
  Trying,
  /** The module is told. */
  Ordering,
  /** It changes. */
  Changing,
  Confirming,
}

/** The commands of the set-up, see `esp-at-setup.ts`. */
export const enum SetupStep {
  EchoOff,
  Version,
  /** Settings stay out of the module's flash. */
  Store,
  /**
   * Refused while the module tries by itself to join a network, one that it remembers or one that it has lost: then, and
   * only then, it is told to stop.
   */
  Mode,
  Leave,
  ModeAgain,
  /** A life before may have left it in transparent mode, or with links; `CIPMUX` is refused while there is one. */
  NotTransparent,
  CloseAll,
  Multiple,
  CloseOnly,
  MultipleAgain,
  AddressesOff,
  /** Data waits in the module until it is asked for. Where that is not to be had it comes when it comes. */
  Passive,
  PassiveByLink,
  /** The highest rate that both ends can do. */
  Rate,
  /** Whether its radio rests between packets. */
  Sleep,
  Done,
}

/** What the module has told of its version. */
export const enum Told {
  Nothing,
  Version,
  /** It has not answered when it was asked. */
  Silence,
}

/** How far a send has come. */
export const enum SendStage {
  None,
  /** `AT+CIPSEND` is out, the prompt is awaited. */
  Announced,
  /** `ERROR` came instead of the prompt. That may still come, if the `ERROR` was about something else. */
  Refused,
  /** The module takes the payload. */
  Payload,
  /** All of the payload is out, `Recv <n> bytes` is awaited. */
  Delivered,
  /** The module has all of it, `SEND OK` is awaited. */
  Confirming,
}

/** A link whose state the driver may set. */
export interface EspAtLink extends Link {
  state: LinkState;
}

/** What is known of the rates of the line, in bits per second. */
export interface Rates {
  /** The one that the module boots with. */
  start: number;
  /** When to give up on giving the port another. */
  by: Millis;
  /** The highest to try, the one to go back to, and how far the change is. */
  ceiling: number;
  safe: number;
  step: RateStep;
  /** How much has gone wrong lately at this rate. */
  faults: number;
  /** Minutes without a fault at a rate that was lowered, and after how many the next one up is tried. */
  good: number;
  trialAfter: number;
}

export interface EspAt extends WifiModule {
  readonly options: WifiOptions;
  readonly engine: AtEngine;
  readonly reset: ResetLine;
  readonly entropy: Entropy;
  readonly events: WifiEvents;
  readonly link: EspAtLink;
  user: LinkUser;
  readonly status: WifiStatus;
  /** Undefined: streams are plain. */
  readonly tls: EspTls | undefined;

  phase: Phase;
  /** What the phase waits for: the end of a reset pulse, `ready`, a pause, Wi-Fi coming back by itself. */
  readonly timer: Deadline;
  command: Command;
  /** The next try of a command that the module was too busy for, and the pause before the one after. */
  readonly retry: Deadline;
  retryPause: number;
  /** When to stop trying, and to reset the module. */
  readonly busyUntil: Deadline;

  /** Which of the set-up commands is next. */
  setupStep: SetupStep;
  /** A set-up command was refused since the last set-up that succeeded, or the last reset. */
  setupDoubted: boolean;
  /** Which of the networks it is now. */
  network: number;
  readonly joinBackoff: Backoff;
  readonly bootBackoff: Backoff;
  gotIp: boolean;
  /** The module has joined at our word since it booted, not by itself a network that it remembered. */
  joined: boolean;
  /** The number in the `+CWJAP:<n>` of the join under way; 0 when there was none. */
  joinCode: number;
  /** A join was refused without a number, and the set-up was repeated for it. */
  joinDoubted: boolean;

  stream: Stream;
  /** `0,CONNECT` has come for the connect under way: from now on `0,CLOSED` speaks of it, not of the stream before. */
  connected: boolean;
  /** Connects that failed, one after the other. */
  failedOpens: number;
  /** At how many of them the set-up is doubted next. */
  doubtAfter: number;
  host: string;
  port: number;
  /** Bytes that the module has said it holds for us. */
  available: number;
  /** Data comes unasked: the module cannot keep it. */
  active: boolean;
  /** Data that came unasked although the module was told to keep it: it has forgotten what it was told. */
  unasked: boolean;
  /** A link of the module's that nobody has asked for and that is to be closed; 0, the number of ours, for none. */
  stray: number;
  /** The stream was served by a receive last, so that a send goes first now. */
  receivedLast: boolean;
  readonly poll: Deadline;
  /** From when on a module in modem sleep is called before the next command. */
  readonly drowsy: Deadline;
  /** What the last receive command asked for, and whether its data has begun to come. */
  asked: number;
  answered: boolean;
  sendStage: SendStage;
  /** The run that the user offered for the send under way still stands: its link has not been lost since. */
  offered: boolean;
  /** How often the send was refused that is next, one after the other: its run was offered and nothing of it has left. */
  refusals: number;
  /** How many bytes had been sent when the module was last found to refuse every send. */
  refusedAt: number;
  /** Payload bytes of the send under way, and those that the serial port does not have yet. */
  sendLength: number;
  sendLeft: number;
  /** The longest send for now: shorter than the module's own limit once it has taken the end of one for a `+++`. */
  sendLimit: number;
  readonly span: Span;
  /** The serial port's count of lost bytes when it was last looked at. */
  lost: number;

  /** Probes with and without an answer, how the module is called back first, and when to give up waiting. */
  answers: number;
  probes: number;
  escape: Escape;
  readonly patience: Deadline;
  /** What is still to be sent to call it back: zeros, or cancels. */
  fill: number;
  rung: Rung;
  /** Which of the rates it is looked for at. */
  hunted: number;
  /** Reboots that nobody asked for since a stream was open last. */
  reboots: number;

  dialect: Dialect;
  told: Told;
  /** The rate that the port is to have. */
  rate: number;
  readonly rates: Rates;
}

/** The driver is there now, and says so. */
export function enterPhase(esp: EspAt, phase: Phase): void {
  esp.phase = phase;
  esp.status.way = wayOf(esp, phase);
}

function wayOf(esp: EspAt, phase: Phase): Way {
  switch (phase) {
    case Phase.Off:
      return Way.Off;
    case Phase.Holding:
    case Phase.Booting:
      return Way.Starting;
    case Phase.Resync:
      return Way.Looking;
    case Phase.SettingUp:
      return Way.SettingUp;
    case Phase.Joining:
      return Way.Joining;
    case Phase.Joined:
      return esp.gotIp ? Way.Joined : Way.Lost;
  }
}

/** The set-up begins: the module answers, and nothing else is sure. */
export function enterSetup(esp: EspAt): void {
  enterPhase(esp, Phase.SettingUp);
  if (esp.told !== Told.Version) {
    // What its refusals seemed to say may have been about something else.
    esp.dialect = ESP_AT_2;
    // A version that did not come the last time is not waited for again.
    esp.told = esp.setupStep === SetupStep.Version ? Told.Silence : Told.Nothing;
  }
  if (esp.tls !== undefined) esp.tls.forget(esp, esp.tls);
  esp.setupStep = SetupStep.EchoOff;
  esp.rates.step = RateStep.Idle;
  esp.timer.armed = false;
}

/** Whether the module has the network. */
export function setIp(esp: EspAt, there: boolean): void {
  esp.gotIp = there;
  esp.status.way = wayOf(esp, esp.phase);
}

/**
 * The link is down for its user, whatever the module still has: its stream is stale. A link that was asked for and not
 * tried yet (the module boots, Wi-Fi is away, or a stale stream is being closed) stays: its turn is still to come.
 */
export function loseLink(esp: EspAt, now: Millis, loss: LinkLoss): void {
  const state = esp.link.state;
  const tried = esp.stream === Stream.Opening || esp.stream === Stream.Open || esp.stream === Stream.Rest;
  esp.available = 0;
  esp.offered = false;
  esp.refusals = 0;
  if (tried) esp.stream = Stream.Stale;
  if (state === LinkState.Down || (state === LinkState.Opening && !tried)) return;
  esp.link.state = LinkState.Down;
  esp.user.linkDown(now, state === LinkState.Closing ? LinkLoss.Closed : loss);
}

/** Milliseconds that `count` bytes take on the wire, 10 bits each. */
export function onWire(esp: EspAt, count: number): number {
  return div(count * 10000, esp.status.baud);
}

/** The command in the slot has had its final result. */
export function finishCommand(esp: EspAt): void {
  esp.command = Command.None;
  esp.sendStage = SendStage.None;
  esp.retryPause = FIRST_RETRY_PAUSE;
  disarm(esp.retry);
  disarm(esp.busyUntil);
  atFinish(esp.engine);
}

/** Minutes of good service after which a rate that was lowered is raised again. Each trial doubles them, up to the most. */
export const FIRST_TRIAL = 240;
export const MOST_TRIAL = 15360;
/** Pause in milliseconds before a command is tried again after the first and the following `busy p...`. */
export const FIRST_RETRY_PAUSE = 50;
export const LONGEST_RETRY_PAUSE = 500;
/** How long a module may go on saying that it is busy: longer than its own slowest command. */
export const BUSY_PATIENCE = 20000;
/**
 * After so many connects that failed in a row the set-up is doubted, and from the second doubt on the network too. Each
 * doubt takes twice as many failures as the one before, up to the most: a broker may be away for a day.
 */
export const DOUBTFUL_OPENS = 3;
export const MOST_DOUBTFUL_OPENS = 192;
