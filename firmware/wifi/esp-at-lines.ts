/**
 * What a line of an ESP-AT module says. Unsolicited lines may come at any time, within the reply to any command, so
 * every line passes here first, whatever the driver is doing.
 *
 * Sources: Espressif, "AT Messages" and "TCP/IP AT Commands" of the ESP-AT user guide.
 */
import type { Bytes } from "../../hal/hal";
import { byteAt, decimalAt, find, isText, startsWith } from "#native";
import { VERSION } from "./esp-at-dialect";

export const enum EspLine {
  /** Not known: an information line of some command, echo, boot text or noise. */
  Other,
  Ok,
  Error,
  Fail,
  SendOk,
  SendFail,
  SendCanceled,
  Busy,
  /** The module has booted: whatever was set up is gone. */
  Ready,
  WifiConnected,
  WifiGotIp,
  WifiDisconnect,
  /** `<link>,CONNECT` */
  Connect,
  /** `<link>,CLOSED` */
  Closed,
  /** A line that ends with `0,CLOSED`. */
  OwnClosed,
  /** `+IPD,<link>,<length>`: bytes wait in the module. */
  DataWaiting,
  /** `+CIPRECVLEN:<length>,…` */
  ReceiveLength,
  /** `+CIPSTATE:<link>,…`, `+CIPSTATUS:<link>,…` and what comes before them: a link that there is. */
  Links,
  /** `+CWJAP:…`: why a join failed, or what is joined. */
  Network,
  /** `AT version:…` */
  Version,
  /** `Recv <n> bytes`: the module has the payload of a send. */
  PayloadTaken,
  /** Begins with `AT`: an echo, which should be off. */
  Echo,
}

const A = 65;
const PLUS = 43;
const COMMA = 44;
const COLON = 58;
const ZERO = 48;
const NINE = 57;

/** Classifies a line of `count` (at least 1) bytes without its line end. */
export function classify(bytes: Bytes, at: number, count: number): EspLine {
  const first = byteAt(bytes, at);
  if (first === PLUS) return classifyPlus(bytes, at, count);
  if (count >= 8 && byteAt(bytes, at + 1) === COMMA) return classifyLink(bytes, at, count);
  if (isText(bytes, at, count, "OK")) return EspLine.Ok;
  if (isText(bytes, at, count, "SEND OK")) return EspLine.SendOk;
  if (startsWith(bytes, at, count, "Recv ")) return EspLine.PayloadTaken;
  if (isText(bytes, at, count, "ERROR")) return EspLine.Error;
  if (startsWith(bytes, at, count, "busy ")) return EspLine.Busy;
  if (isText(bytes, at, count, "ready")) return EspLine.Ready;
  if (isText(bytes, at, count, "FAIL")) return EspLine.Fail;
  if (isText(bytes, at, count, "SEND FAIL")) return EspLine.SendFail;
  if (startsWith(bytes, at, count, "SEND C")) return EspLine.SendCanceled;
  if (isText(bytes, at, count, "WIFI CONNECTED")) return EspLine.WifiConnected;
  if (isText(bytes, at, count, "WIFI GOT IP")) return EspLine.WifiGotIp;
  if (isText(bytes, at, count, "WIFI DISCONNECT")) return EspLine.WifiDisconnect;
  if (first === A && startsWith(bytes, at, count, "AT")) {
    return startsWith(bytes, at, count, VERSION) ? EspLine.Version : classifyEnd(bytes, at, count, EspLine.Echo);
  }
  if (startsWith(bytes, at, count, "STATUS:")) return EspLine.Links;
  return classifyEnd(bytes, at, count, EspLine.Other);
}

/**
 * What a line ends with may have come within another: NonOS writes into what it is writing, and after noise the end of a
 * line is all that is left of it.
 */
function classifyEnd(bytes: Bytes, at: number, count: number, otherwise: EspLine): EspLine {
  if (endsWith(bytes, at, count, "WIFI DISCONNECT", 15)) return EspLine.WifiDisconnect;
  if (!endsWith(bytes, at, count, "0,CLOSED", 8)) return otherwise;
  const before = byteAt(bytes, at + count - 9);
  return before >= ZERO && before <= NINE ? otherwise : EspLine.OwnClosed;
}

/** Whether there is something before the end, too. */
function endsWith(bytes: Bytes, at: number, count: number, text: string, length: number): boolean {
  return count > length && isText(bytes, at + count - length, length, text);
}

function classifyPlus(bytes: Bytes, at: number, count: number): EspLine {
  if (startsWith(bytes, at, count, "+IPD,")) return EspLine.DataWaiting;
  if (startsWith(bytes, at, count, "+CIPRECVLEN:")) return EspLine.ReceiveLength;
  if (startsWith(bytes, at, count, "+CWJAP")) return EspLine.Network;
  if (startsWith(bytes, at, count, "+CIPSTAT")) return EspLine.Links;
  return EspLine.Other;
}

function classifyLink(bytes: Bytes, at: number, count: number): EspLine {
  if (isText(bytes, at + 2, count - 2, "CLOSED")) return EspLine.Closed;
  if (isText(bytes, at + 2, count - 2, "CONNECT")) return EspLine.Connect;
  return EspLine.Other;
}

/** The link number of a `<link>,CONNECT` or `<link>,CLOSED` line; -1 if it is none. */
export function linkOf(bytes: Bytes, at: number): number {
  return decimalAt(bytes, at, 1);
}

/** Whether a line of {@link EspLine.Links} is about ours; of half a line it is not. */
export function isOwnLink(bytes: Bytes, at: number, count: number): boolean {
  const colon = find(bytes, at, count, COLON);
  return colon >= 0 && colon + 3 < at + count && isText(bytes, colon + 1, 3, '0,"');
}

/**
 * The `index`th number (from 0) of the comma-separated ones that follow the first `prefix` bytes of a line; -1 where
 * there is no number (firmware leaves a closed link blank or writes -1).
 */
export function numberAt(bytes: Bytes, at: number, count: number, prefix: number, index: number): number {
  const end = at + count;
  let from = at + prefix;
  for (let i = 0; i < index; i++) {
    const comma = find(bytes, from, end - from, COMMA);
    if (comma < 0) return -1;
    from = comma + 1;
  }
  const next = find(bytes, from, end - from, COMMA);
  return decimalAt(bytes, from, (next < 0 ? end : next) - from);
}
