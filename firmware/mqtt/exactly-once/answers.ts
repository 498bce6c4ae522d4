/** PUBREC, PUBREL and PUBCOMP as we say them. */
import type { Bytes } from "../../../hal/hal";
import { allocate, putU16 } from "#native";
import { type Client, ClientState, Fault } from "../client-state";
import { fail } from "../incoming";
import { PacketType, RESERVED_FLAGS } from "../packet";
import { sendControl } from "../sender";

export const PUBREC = PacketType.Pubrec * 16;
/** It carries flags, as SUBSCRIBE does. [MQTT-3.6.1-1] */
export const PUBREL = PacketType.Pubrel * 16 + RESERVED_FLAGS;
export const PUBCOMP = PacketType.Pubcomp * 16;

/** In MQTT 5.0: Packet Identifier not found. [MQTT5 §3.6.2.1, §3.7.2.1] */
const NOT_FOUND = 0x92;

/** The packet that is said next, without and with a reason code behind its identifier. */
export interface Answers {
  readonly plain: Bytes;
  readonly unknown: Bytes;
}

/** @boot */
export function createAnswers(): Answers {
  const plain = allocate(4);
  plain[1] = 2;
  const unknown = allocate(5);
  unknown[1] = 3;
  unknown[4] = NOT_FOUND;
  return { plain, unknown };
}

/**
 * Says a packet that begins with `first`; in MQTT 5.0 it also says when the identifier is not `known`. The link is closed
 * when there is no room for it, which can only be when the broker has sent more than it was given leave to.
 */
export function say(answers: Answers, client: Client, first: number, id: number, known: boolean): void {
  // A handler may have ended the session.
  if (client.state !== ClientState.Online) return;
  const packet = known || client.options.protocol !== 5 ? answers.plain : answers.unknown;
  packet[0] = first;
  putU16(packet, 2, id);
  if (!sendControl(client, packet)) fail(client, Fault.Full);
}
