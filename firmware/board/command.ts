/**
 * Commands: a topic below the board's own whose messages are obeyed.
 *
 * A retained message is not obeyed: it is an order that the broker has stored, maybe long ago, and it would switch
 * something at every reconnect. A bad one changes nothing and is answered on `error` with the reason.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { writeText } from "../core/writer";
import { type Client } from "../mqtt/client-state";
import { createPublication, type Publication } from "../mqtt/publication";
import { publishBegin, publishEnd } from "../mqtt/publish";
import { type MessageHandler } from "../mqtt/subscriptions";
import { Happening, type Journal, note } from "./journal";

/** What obeys. */
export interface CommandTarget {
  /**
   * Obeys the payload, or gives what is wrong with it, as a sentence that says what to send instead; then nothing has
   * changed. Empty when obeyed.
   */
  obey(now: Millis, bytes: Bytes, at: number, count: number): string;
}

/** Counters since power-on. */
export interface CommandStats {
  obeyed: number;
  /** Not understood or out of range, and answered on `error`. */
  rejected: number;
  /** Retained, and so ignored. */
  retained: number;
}

/** What all commands of a board share. */
export interface Commands {
  readonly client: Client;
  readonly stats: CommandStats;
  /** `error`, at QoS 0: an answer is for whoever has just sent the command, not for later. */
  readonly answers: Publication;
  readonly journal: Journal;
}

const LONGEST_ANSWER = 160;

/** @boot */
export function createCommands(client: Client, errorTopic: string, journal: Journal): Commands {
  return {
    client,
    journal,
    stats: { obeyed: 0, rejected: 0, retained: 0 },
    answers: createPublication(errorTopic, 0, false, LONGEST_ANSWER),
  };
}

/** The handler of the command that answers call `name`. @boot */
export function createCommand(commands: Commands, name: string, target: CommandTarget): MessageHandler {
  const opening = '{"command":"' + (name + '","reason":"');
  return {
    message(now, message) {
      if (message.retain) {
        commands.stats.retained++;
        return;
      }
      const reason = target.obey(now, message.bytes, message.payloadAt, message.payloadLength);
      if (reason === "") {
        commands.stats.obeyed++;
      } else {
        commands.stats.rejected++;
        note(commands.journal, Happening.CommandRefused, name, 0);
        answer(commands, opening, reason);
      }
    },
  };
}

function answer(commands: Commands, opening: string, reason: string): void {
  const payload = publishBegin(commands.client, commands.answers);
  if (payload === undefined) return;
  writeText(payload, opening);
  writeText(payload, reason);
  writeText(payload, '"}');
  publishEnd(commands.client);
}
