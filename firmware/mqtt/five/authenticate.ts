/** An authentication that takes more than a password, step by step. [MQTT 5.0 §4.12] */
import type { Bytes, Millis } from "../../../hal/hal";
import { queueClose, queueOpen } from "#native";
import { arm } from "../../core/time";
import { writerOpen } from "../../core/writer";
import { type Client, ClientState, Fault } from "../client-state";
import { fail } from "../incoming";
import { PacketType } from "../packet";
import { authRoom, namesMethod, readAuth, writeAuth } from "./auth";
import { findProperty, Property } from "./properties";
import { Reason } from "./reason";
import { type FiveState } from "./state";
import { prepareReport, tell } from "./tell";
import { wrong } from "./wrong";

const AUTH = PacketType.Auth * 16;
/** The broker may take as long over each step as over a CONNECT, in milliseconds. */
const PATIENCE = 10000;

/**
 * AUTH came. A client that named no method in its CONNECT is sent none [MQTT5-4.12.0-6], and answers none
 * [MQTT5-4.12.0-7].
 */
export function authCame(five: FiveState, client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  const properties = five.properties;
  const method = five.parts.method;
  const reason = readAuth(properties, bytes, at, count);
  if (reason < 0) {
    wrong(five, client, -1 - reason);
    return;
  }
  const connecting = client.state === ClientState.Connecting;
  if (method === undefined || !namesMethod(properties, method) || !(connecting || five.authenticating)) {
    wrong(five, client, Reason.ProtocolError);
    return;
  }
  if (connecting) arm(client.timer, now, PATIENCE);
  prepareReport(five, PacketType.Auth, reason, 0);
  if (five.report.text.count > 0) tell(five, now);
  if (reason === Reason.ContinueAuthentication) challenged(five, client);
  // While connecting, success is said by CONNACK.
  else if (connecting) wrong(five, client, Reason.ProtocolError);
  else if (accepted(five)) five.authenticating = false;
  else fail(client, Fault.NotAuthentic);
}

function challenged(five: FiveState, client: Client): void {
  const { own, properties, authData } = five;
  const hasData = findProperty(properties, Property.AuthenticationData);
  const answer = own.authentication?.challenge(
    properties.bytes,
    hasData ? properties.at : 0,
    hasData ? properties.count : 0,
    authData,
  );
  if (answer === undefined || answer < 0) fail(client, Fault.NotAuthentic);
  else if (!sendAuth(five, client, Reason.ContinueAuthentication, answer)) fail(client, Fault.Full);
}

/** Whether the application believes the broker that has let us in. */
export function accepted({ own, properties }: FiveState): boolean {
  const hasData = findProperty(properties, Property.AuthenticationData);
  const authentication = own.authentication;
  if (authentication === undefined) return false;
  return authentication.accepted(properties.bytes, hasData ? properties.at : 0, hasData ? properties.count : 0);
}

/** `count` bytes of authentication data. */
function sendAuth(five: FiveState, client: Client, reason: Reason, count: number): boolean {
  const { control, encoder } = client;
  const method = five.parts.method;
  if (method === undefined) return false;
  const room = authRoom(method, count);
  five.reasonByte[0] = reason;
  const at = queueOpen(control, five.reasonByte, room);
  if (at < 0) return false;
  writerOpen(encoder, control, at, room);
  writeAuth(encoder, method, five.authData, count);
  queueClose(control, encoder.at, AUTH);
  client.controlDue = true;
  return true;
}

/**
 * Proves again who we are, in the middle of a session; messages go on meanwhile. False when there is no session, no
 * method was named when it began [MQTT5-4.12.0-7], or one such exchange is under way. [MQTT5-4.12.1-1]
 */
export function authenticateAgain(five: FiveState, client: Client): boolean {
  const authentication = five.own.authentication;
  if (client.state !== ClientState.Online || authentication === undefined || five.authenticating) return false;
  five.authenticating = sendAuth(five, client, Reason.Reauthenticate, authentication.begin(five.authData));
  return five.authenticating;
}
