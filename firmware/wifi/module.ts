/**
 * What a board needs of its Wi-Fi module, of whatever family: a stream to the broker, three calls in each turn of the
 * loop, and a record of how it is doing. A family is a driver behind this contract: ESP-AT is one (`esp-at.ts`), the
 * ISM43362 another (`ism43362`). An application hands the family to its board, so that no other is in the image.
 */
import type { Bytes, Hal, Millis } from "../../hal/hal";
import { type Link } from "../core/link";

/** How far the module is on its way to the network. */
export const enum Way {
  /** Nothing has been done yet. */
  Off,
  /** Held in reset, or booting, or waiting for its turn to be reset. */
  Starting,
  /** Its state is unknown: it is being found out. */
  Looking,
  SettingUp,
  /** Joining {@link WifiStatus.ssid}, or pausing before the next try. */
  Joining,
  Joined,
  /** Was joined, and is expected to find the network again by itself. */
  Lost,
}

/** Why a join failed. */
export const enum JoinFailure {
  None,
  /** The network did not answer in time. */
  TimedOut,
  /** The network refused the password. It will again, so the next try is long in coming. */
  WrongPassword,
  NoSuchNetwork,
  /** The module says no more. */
  Other,
}

/** Why the network was lost last. */
export const enum WifiLoss {
  None,
  /** The module says that the network is gone. */
  Network,
  /** The network has given another address: all streams are dead. */
  Address,
  /** The module has rebooted by itself. */
  Reboot,
  /** The module did not answer. */
  Silent,
}

/** What became of the check of the broker's certificate, the last time that it came to one. */
export const enum Trust {
  /** Streams are plain: nobody has asked for TLS. */
  NotAsked,
  /** TLS is asked for, and no broker has been met: none yet, or none the last time that one was tried. */
  Untried,
  /** The broker is who it should be, and nobody else reads what it is told. */
  Verified,
  /** The time is not known, without which no certificate can be checked. It is asked for. */
  NoTime,
  /** There is no authority to check against. */
  NoAuthority,
  /** The module has not kept the certificates that it was given. They are given again. */
  NotStored,
  /** The broker's certificate is not signed by the authority. */
  Untrusted,
  /** It is for another host than the one that was asked for. */
  WrongName,
  /** Its time is over, or has not begun. */
  Expired,
  NotYetValid,
  /** The broker has ended the handshake: mostly since it does not know the board's own certificate, or there is none. */
  Refused,
  /** This module, or its driver as it is linked, cannot check certificates. */
  Unsupported,
  /** It came to no stream, and the module says no more: perhaps the certificate, perhaps there is no broker. */
  Failed,
}

/** Whether the module's radio rests between packets. */
export const enum PowerSave {
  Off,
  /** This module, or its driver, knows no way to it. */
  Unsupported,
  /** The module was told to, and would not. */
  Refused,
  On,
}

/** How the module is doing. Only the driver writes it. The counters are those since power-on and only grow. */
export interface WifiStatus {
  way: Way;
  /** The network that is joined, tried or lost. */
  ssid: string;
  /** Strength of its signal in dBm, -100 to -1; 0 while it is not known. */
  signal: number;
  /** Why the last join failed; `None` after one that succeeded. */
  joinFailure: JoinFailure;
  loss: WifiLoss;
  trust: Trust;
  /** The module has the time of day from the time server. */
  timeKnown: boolean;
  powerSave: PowerSave;
  /** What puts the module to deep sleep, up to the number of milliseconds; empty where only the reset line does. */
  readonly sleepOrder: string;
  /** Rate of the serial line in bits per second. */
  baud: number;

  /** Resets of the module that the driver ordered, the one at boot included. */
  resets: number;
  /** Reboots of the module that nobody ordered. */
  reboots: number;
  /** Commands that had no answer in time. */
  timeouts: number;
  /** Searches for the module's state after one. */
  resyncs: number;
  /** Of a module that did not answer: calls to come out of what it was in the middle of, rates that it was looked for at. */
  escapes: number;
  hunts: number;
  /** Pauses in which a module that could not be brought to answer was left alone. */
  holdOffs: number;
  /** Times that the rate of the line was raised, and that it was not to be had or had to be lowered. */
  raises: number;
  fallbacks: number;
  /** Times that the module said that it was busy. */
  busy: number;
  joins: number;
  joinFailures: number;
  /** Times that the network was lost after a join. */
  wifiLosses: number;
  opens: number;
  openFailures: number;
  /** Sends, and the payload bytes in them. */
  sends: number;
  sentBytes: number;
  /** Receives, and the payload bytes that came. */
  receives: number;
  receivedBytes: number;
  /** Streams given up because bytes were lost or added on the serial line. */
  damaged: number;
  /** Times that the time server had not answered in time, and that a certificate or key was written into the module. */
  timeFailures: number;
  certificateWrites: number;
}

/** A Wi-Fi network. */
export interface WifiNetwork {
  /** 1 to 32 bytes; and 0 to 64, none for an open network. */
  readonly ssid: string;
  readonly password: string;
}

/** A text in PEM that is read a piece at a time: who holds it (the board's storage) knows how. */
export interface PemSource {
  /** Bytes of it; 0 when there is none. */
  length(): number;
  /** Puts `count` bytes from `from` on into `to` at `at`. What is asked for is never beyond `length`. */
  read(from: number, to: Bytes, at: number, count: number): void;
}

/** How streams are made safe. */
export interface Security {
  /** The authority that the broker's certificate is checked against. Without one nothing is opened. */
  readonly authority: PemSource;
  /** What the board shows a broker that wants to know who it is; both or none. */
  readonly certificate: PemSource;
  readonly key: PemSource;
  /** Where the time comes from, without which no certificate can be checked: a host name or an address, at most 64 bytes. */
  readonly timeServer: string;
}

/** What the user of a driver chooses. */
export interface WifiOptions {
  /** In the order in which they are tried; at least one. */
  readonly networks: readonly WifiNetwork[];
  /** Rate in bits per second that the module's serial line has after a reset, and the highest that it may be raised to. */
  readonly baud: number;
  readonly maxBaud: number;
  /** Receive window in bytes: at least 256; 3 more than `maxReceive`, or data is handed over before it is known to be whole. */
  readonly window: number;
  /** The most bytes that one send carries, if the module takes as many. */
  readonly maxSend: number;
  /** The most bytes that one receive asks for. */
  readonly maxReceive: number;
  /** A quiet stream is asked for waiting bytes this often, in milliseconds, in case a notice was lost. */
  readonly pollEvery: number;
  /**
   * When it is there every stream is TLS, to a broker whose certificate has been checked: nothing is ever sent plain
   * instead. A family that cannot do that opens nothing and says {@link Trust.Unsupported}. Undefined: streams are plain.
   */
  readonly security: Security | undefined;
  /**
   * The module's radio rests between the beacons of its access point: it takes less current, and what comes takes up to a
   * tenth of a second longer. Left out: it does not.
   */
  readonly modemSleep?: boolean;
}

/** What the application is told. */
export interface WifiEvents {
  /** The network is there: joined, or back by itself. */
  joined(now: Millis, ssid: string): void;
  joinFailed(now: Millis, ssid: string, reason: JoinFailure): void;
  wifiLost(now: Millis, ssid: string): void;
  /** The driver resets the module, or the module has rebooted by itself. */
  moduleReset(now: Millis): void;
}

/** A module and its driver. */
export interface WifiModule {
  readonly link: Link;
  readonly status: Readonly<WifiStatus>;
  /** First half of a turn: takes in everything that the module has said. */
  receive(now: Millis): void;
  /** Second half of a turn, after everybody who may have something to send: gives up what has timed out, starts what is next. */
  pump(now: Millis): void;
  /** How long the driver can be left alone unless a byte arrives, in milliseconds. */
  wait(now: Millis): number;
  /**
   * The module is being switched off, put to sleep or has just been: its link is down, all that was known of it is
   * forgotten, and the next turn, whenever that comes, begins as the first one did. Not there in a family that cannot.
   */
  off?(now: Millis): void;
}

/** Makes the driver of a family on the serial port and the reset line of a board. @boot */
export type WifiFamily = (this: void, hal: Hal, options: WifiOptions, events: WifiEvents) => WifiModule;

/** Stands in for an application that wants to know nothing. */
export const DEAF: WifiEvents = {
  joined() {},
  joinFailed() {},
  wifiLost() {},
  moduleReset() {},
};

/** A status with nothing in it yet. @boot */
export function createWifiStatus(ssid: string, baud: number, trust: Trust = Trust.NotAsked, sleepOrder = ""): WifiStatus {
  return {
    way: Way.Off,
    ssid,
    signal: 0,
    joinFailure: JoinFailure.None,
    loss: WifiLoss.None,
    trust,
    timeKnown: false,
    powerSave: PowerSave.Off,
    sleepOrder,
    baud,
    resets: 0,
    reboots: 0,
    timeouts: 0,
    resyncs: 0,
    escapes: 0,
    hunts: 0,
    holdOffs: 0,
    raises: 0,
    fallbacks: 0,
    busy: 0,
    joins: 0,
    joinFailures: 0,
    wifiLosses: 0,
    opens: 0,
    openFailures: 0,
    sends: 0,
    sentBytes: 0,
    receives: 0,
    receivedBytes: 0,
    damaged: 0,
    timeFailures: 0,
    certificateWrites: 0,
  };
}

/** What a driver without TLS has to say of what it was asked for. @boot */
export function trustOf(options: WifiOptions): Trust {
  return options.security === undefined ? Trust.NotAsked : Trust.Unsupported;
}
