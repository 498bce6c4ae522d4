/** How a session of MQTT 5.0 begins, goes on, and ends. */
import type { Bytes, Millis } from "../../../hal/hal";
import { queueClose, queueOpen } from "#native";
import { disarm } from "../../core/time";
import { writerOpen } from "../../core/writer";
import { Breach } from "../breach";
import { type Client, ClientState, Fault } from "../client-state";
import { closeLink, fail, sessionBegins, violation } from "../incoming";
import { PacketType } from "../packet";
import { readerStop } from "../reader";
import { openWindow } from "../window";
import { forgetAliasesIn } from "./aliases";
import { namesMethod } from "./auth";
import { accepted } from "./authenticate";
import { readConnack } from "./connack";
import { adoptClientId, connectIsClean, connectResumes, connectRoom, sessionExpiryOf, writeConnect } from "./connect";
import { DISCONNECT_ROOM, writeDisconnect } from "./disconnect";
import { sweepExpiries } from "./expiry";
import { dropUnsendable, fitNotice } from "./limits";
import { findProperty, Property } from "./properties";
import { isFailure, Reason } from "./reason";
import { forgetAnswer } from "./send";
import { AliasState, type FiveState } from "./state";
import { prepareReport, tell } from "./tell";
import { wrong } from "./wrong";

const CONNECT = PacketType.Connect * 16;
const DISCONNECT = PacketType.Disconnect * 16;

export function sendConnect(five: FiveState, client: Client): void {
  const { parts, own, authData } = five;
  five.authenticating = false;
  const data = own.authentication === undefined ? 0 : own.authentication.begin(authData);
  const room = connectRoom(parts, data);
  const at = queueOpen(client.control, parts.head, room);
  if (at < 0) return;
  writerOpen(client.encoder, client.control, at, room);
  writeConnect(client.encoder, parts, authData, data);
  queueClose(client.control, client.encoder.at, CONNECT);
  client.controlDue = true;
}

/** Aliases stand for nothing on another link. [MQTT5-3.3.2-7] */
export function linkLost(five: FiveState): void {
  forgetAliasesIn(five.aliasesIn);
  for (let i = 0; i < five.aliases.length; i++) five.aliases[i] = AliasState.Unknown;
  disarm(five.expiryDue);
  five.fault = Reason.Success;
  five.refusal = 0;
  forgetAnswer(five);
}

export function connackCame(five: FiveState, client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  const { granted, properties } = five;
  const fault = readConnack(granted, properties, bytes, at, count);
  if (fault !== Reason.Success) {
    wrong(five, client, fault);
    return;
  }
  if (isFailure(granted.reason)) {
    refused(five, client, now);
    return;
  }
  // Who asked for a new session has no state of an older one [MQTT5-3.2.2-4]. Who asked to go on has, if only its
  // subscriptions and nothing under way: a client that was restarted takes up what the broker has kept for it.
  if (granted.sessionPresent && connectIsClean(five.parts)) {
    violation(client, Breach.SessionNotAsked);
    return;
  }
  // [MQTT5-4.12.0-5] [MQTT5-4.12.0-6]
  if (!namesMethod(properties, five.parts.method) || !isNamed(five)) wrong(five, client, Reason.ProtocolError);
  else if (!adopt(five)) fail(client, Fault.AssignedIdTooLong);
  else if (five.own.authentication !== undefined && !accepted(five)) fail(client, Fault.NotAuthentic);
  else begin(five, client, now);
}

function refused(five: FiveState, client: Client, now: Millis): void {
  const reason = five.granted.reason;
  client.refusal = reason;
  client.stats.refusals++;
  prepareReport(five, PacketType.Connack, reason, 0);
  // The broker closes the link, and expects no more words.
  closeLink(client, Fault.Refused);
  tell(five, now);
}

/** Who has no client identifier must be given one. [MQTT5-3.2.2-16] */
function isNamed({ parts, properties }: FiveState): boolean {
  return parts.clientIdSize > 0 || (findProperty(properties, Property.AssignedClientId) && properties.count > 0);
}

/** It goes by it from now on. False when it is too long to be kept. */
function adopt({ parts, properties }: FiveState): boolean {
  if (parts.clientIdSize > 0) return true;
  return adoptClientId(parts, properties.bytes, properties.at, properties.count);
}

function begin(five: FiveState, client: Client, now: Millis): void {
  const { granted, own } = five;
  const { birth, farewell, keepAlive } = client.options;
  // [MQTT5-3.2.2-21]
  client.keepAlive = granted.serverKeepAlive < 0 ? keepAlive : granted.serverKeepAlive;
  client.maxInFlight = granted.receiveMaximum < five.maxInFlight ? granted.receiveMaximum : five.maxInFlight;
  openWindow(client, client.maxInFlight);
  const expiry = granted.sessionExpiry < 0 ? sessionExpiryOf(client.options, own) : granted.sessionExpiry;
  five.sessionKept = expiry > 0;
  if (five.sessionKept) connectResumes(five.parts);
  fitNotice(five, client.birthPacket, birth?.retain);
  fitNotice(five, client.farewellPacket, farewell?.retain);
  prepareReport(five, PacketType.Connack, granted.reason, 0);
  tell(five, now);
  dropUnsendable(five, client, now);
  sweepExpiries(five, client, now);
  sessionBegins(client, now, granted.sessionPresent, false);
}

/**
 * Ends the link with a DISCONNECT that says why. False when nobody would hear it: then it is closed without. A packet
 * that has gone in part is finished first.
 */
export function dismiss(five: FiveState, client: Client, fault: Fault): boolean {
  if (client.state !== ClientState.Connecting && client.state !== ClientState.Online) return false;
  const reason = reasonOf(five, client, fault);
  if (!sendDisconnect(five, client, reason, -1)) return false;
  client.fault = fault;
  client.state = ClientState.Leaving;
  disarm(client.timer);
  readerStop(client.reader);
  return true;
}

/** Why we end the link, in the words of DISCONNECT. [MQTT 5.0 §3.14.2.1] */
function reasonOf(five: FiveState, client: Client, fault: Fault): Reason {
  if (fault === Fault.Full) return Reason.QuotaExceeded;
  if (fault === Fault.AssignedIdTooLong) return Reason.ImplementationSpecific;
  if (fault !== Fault.Violation) return Reason.Unspecified;
  return five.fault === Reason.Success ? reasonOfBreach(client.breach) : five.fault;
}

function reasonOfBreach(breach: Breach): Reason {
  switch (breach) {
    case Breach.RemainingLength:
    case Breach.UnknownType:
    case Breach.Flags:
    case Breach.Qos3:
    case Breach.DupWithoutQos:
    case Breach.Length:
    case Breach.TopicText:
    case Breach.ConnackFlags:
      return Reason.MalformedPacket;
    case Breach.TopicWildcard:
      return Reason.TopicNameInvalid;
    case Breach.TooLarge:
      return Reason.PacketTooLarge;
    default:
      return Reason.ProtocolError;
  }
}

/** `sessionExpiry` as `writeDisconnect` has it. */
function sendDisconnect(five: FiveState, client: Client, reason: Reason, sessionExpiry: number): boolean {
  const { control, encoder } = client;
  five.reasonByte[0] = reason;
  const at = queueOpen(control, five.reasonByte, DISCONNECT_ROOM);
  if (at < 0) return false;
  writerOpen(encoder, control, at, DISCONNECT_ROOM);
  writeDisconnect(encoder, sessionExpiry);
  queueClose(control, encoder.at, DISCONNECT);
  client.controlDue = true;
  return true;
}

/**
 * How the client is to leave with `clientLeave`: `keepWill`, the broker publishes the will all the same; `sessionExpiry`:
 * how many seconds it keeps the session from then on, if not as long as it was asked to; -1. A session that was to end
 * with its link cannot be given more.
 */
export function leaveWith(five: FiveState, keepWill: boolean, sessionExpiry: number): void {
  five.leaveReason = keepWill ? Reason.DisconnectWithWill : Reason.Success;
  five.leaveExpiry = sessionExpiry;
}

export function leave(five: FiveState, client: Client): void {
  // [MQTT 5.0 §3.14.2.2.2]
  const mayChange = sessionExpiryOf(client.options, five.own) > 0;
  sendDisconnect(five, client, five.leaveReason, mayChange ? five.leaveExpiry : -1);
}
