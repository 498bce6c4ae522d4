/**
 * What the ISM43362 driver knows: its record, the names of its states, and the few changes that more than one part of
 * the driver makes. The parts: `bringup` gets the module from any state to "joined", `stream` opens and closes the TCP
 * stream and sends, `reply` takes received payload out of the reply that carries it, `resync` finds back after a command
 * that had no answer, `ism43362` ties them together.
 */
import type { Bytes, Entropy, Millis, ResetLine } from "../../../hal/hal";
import { div } from "#native";
import { type Backoff } from "../../core/backoff";
import { type Link, LinkLoss, LinkState, type LinkUser, type Span } from "../../core/link";
import { arm, type Deadline } from "../../core/time";
import { writeText, type Writer } from "../../core/writer";
import { atBegin, atFinish, atSend, type AtEngine } from "../at-engine";
import { Way, type WifiEvents, type WifiModule, type WifiNetwork, type WifiOptions, type WifiStatus } from "../module";

/** Where the module is on its way to the network. */
export const enum Phase {
  /** Nothing has been done yet. */
  Off,
  /** Held in reset, or waiting out a hold-off before a reset. */
  Holding,
  /** Released: the prompt is due. */
  Booting,
  /** An answer did not come, or something came that nobody had asked for: finding out what state the module is in. */
  Resync,
  /** Being set up, command by command. */
  SettingUp,
  /** Joining the Wi-Fi network, or pausing before the next try. */
  Joining,
  Joined,
}

/** The command in the engine's slot. */
export const enum Command {
  None,
  Probe,
  Setup,
  Join,
  /** `F0`: whether the network that could not be joined is in reach. */
  Scan,
  /** `CS`: whether the module is in the network. */
  Connected,
  /** `CR`: the strength of its signal. */
  Signal,
  Open,
  Send,
  /** `R1`: how much the next receive may give. */
  Size,
  Receive,
  Close,
}

/** What the lines of a reply have said of its outcome so far. The prompt ends the reply. */
export const enum Result {
  None,
  Ok,
  Error,
}

/** The TCP stream as the module has it. */
export const enum Stream {
  Closed,
  /** The commands that open it are under way. */
  Opening,
  /** It carries the link. */
  Open,
  /** The module has a stream, or may have one, whose link is down already: to be closed before the next. */
  Stale,
}

/** How far a send has come. */
export const enum SendStage {
  None,
  /** `S3=<n>` leaves. */
  Announced,
  /** The payload leaves right behind it: there is no prompt. */
  Payload,
  /** All of it is out, the count is awaited. */
  Delivered,
}

/** A link whose state the driver may set. */
export interface IsmLink extends Link {
  state: LinkState;
}

export interface Ism extends WifiModule {
  readonly options: WifiOptions;
  readonly engine: AtEngine;
  readonly reset: ResetLine;
  readonly entropy: Entropy;
  readonly events: WifiEvents;
  readonly link: IsmLink;
  user: LinkUser;
  readonly status: WifiStatus;

  phase: Phase;
  /** What the phase waits for: the end of a reset pulse, the prompt, a pause, the next look at the network. */
  readonly timer: Deadline;
  command: Command;
  result: Result;
  /** The last number that a line of the reply under way was; {@link NO_NUMBER} while there was none. */
  value: number;
  /** The reply under way has in it what only the one to `I?` has: it is not that of an earlier command. */
  known: boolean;

  /** Which command is next of those that set up, join or open. */
  step: number;
  /** A set-up command was refused since the last set-up that succeeded, or the last reset. */
  setupDoubted: boolean;
  /** The networks in the order in which they are tried, and which of them it is now. */
  readonly networks: readonly WifiNetwork[];
  network: number;
  readonly joinBackoff: Backoff;
  readonly bootBackoff: Backoff;
  /** The module has joined at our word since its last boot. */
  joined: boolean;
  /** The network has been seen to be in reach since its join failed. */
  inReach: boolean;

  stream: Stream;
  /** Connects that failed, one after the other, and at how many of them the set-up is doubted next. */
  failedOpens: number;
  doubtAfter: number;
  host: string;
  port: number;
  /** The address of the host as dotted text, its length, and whether the host was given as one. */
  readonly address: Bytes;
  addressLength: number;
  /** What `R1` is set to: the most that a receive gives. At most {@link readLimit}. */
  readSize: number;
  readonly readLimit: number;
  /** When to ask for received bytes next, and the pause after that if none came. */
  readonly poll: Deadline;
  pollPause: number;
  /** The stream was served by a receive last, so that a send goes first now. */
  receivedLast: boolean;
  /** When the reply to a receive counts as over unless more of it comes. */
  readonly quiet: Deadline;
  sendStage: SendStage;
  /** The run that the user offered for the send under way still stands: its link has not been lost since. */
  offered: boolean;
  /** Payload bytes of the send under way, and those that the serial port does not have yet. */
  sendLength: number;
  sendLeft: number;
  readonly span: Span;
  /** The serial port's count of lost bytes when it was last looked at. */
  lost: number;

  /** Resync: probes without an answer, and when to give up. */
  probes: number;
  readonly patience: Deadline;
}

/** {@link Ism.value} when no line was a number. */
export const NO_NUMBER = 2147483647;
/** How often the network is looked at, in milliseconds: the module does not say by itself that it has lost it. */
export const LOOK_EVERY = 5000;
/**
 * After so many connects that failed in a row the set-up is doubted, and from the second doubt on the network too. Each
 * doubt takes twice as many failures as the one before, up to the most: a broker may be away for a day.
 */
export const DOUBTFUL_OPENS = 3;
export const MOST_DOUBTFUL_OPENS = 192;

/** Begins a command in the slot: the caller writes the rest of its text, then calls {@link send}. */
export function begin(ism: Ism, command: Command, text: string): Writer {
  ism.command = command;
  ism.result = Result.None;
  ism.value = NO_NUMBER;
  ism.known = false;
  const writer = atBegin(ism.engine);
  writeText(writer, text);
  return writer;
}

/** Sends the command that was begun. The prompt that ends its reply is due within `patience` milliseconds. */
export function send(ism: Ism, now: Millis, patience: number): void {
  atSend(ism.engine, now, patience);
  ism.engine.wantPrompt = true;
}

/** The command in the slot is over. A prompt is listened for at any time: without a command it tells of a reboot. */
export function finishCommand(ism: Ism): void {
  ism.command = Command.None;
  ism.result = Result.None;
  ism.sendStage = SendStage.None;
  ism.quiet.armed = false;
  atFinish(ism.engine);
  ism.engine.wantPrompt = true;
}

/** The driver is there now, and says so. */
export function enterPhase(ism: Ism, phase: Phase): void {
  ism.phase = phase;
  ism.status.way = wayOf(phase);
}

function wayOf(phase: Phase): Way {
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
      return Way.Joined;
  }
}

/** The name of the network that is joined, or tried. */
export function ssidOf(ism: Ism): string {
  const network = ism.networks[ism.network];
  return network === undefined ? "" : network.ssid;
}

/**
 * The link is down for its user, whatever the module still has: its stream is stale, and the network is looked at soon. A
 * link that was asked for and not tried yet (the module boots, Wi-Fi is away, or a stale stream is being closed) stays.
 */
export function loseLink(ism: Ism, now: Millis, loss: LinkLoss): void {
  const state = ism.link.state;
  const tried = ism.stream === Stream.Opening || ism.stream === Stream.Open;
  ism.offered = false;
  if (tried) {
    ism.stream = Stream.Stale;
    if (ism.phase === Phase.Joined) arm(ism.timer, now, 0);
  }
  if (state === LinkState.Down || (state === LinkState.Opening && !tried)) return;
  ism.link.state = LinkState.Down;
  ism.user.linkDown(now, state === LinkState.Closing ? LinkLoss.Closed : loss);
}

/** Bytes were lost or added within the stream: what follows would be read as something it is not. */
export function streamDamaged(ism: Ism, now: Millis): void {
  if (ism.stream !== Stream.Open) return;
  ism.status.damaged++;
  loseLink(ism, now, LinkLoss.Damaged);
}

/** Milliseconds that `count` bytes take on the wire, 10 bits each. */
export function onWire(ism: Ism, count: number): number {
  return div(count * 10000, ism.options.baud);
}
