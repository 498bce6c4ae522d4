/**
 * An application that takes its time, as the features of the receiving side let it: it says "not now" to every message
 * and every part once, joins parts, and acknowledges by hand when nothing else happens.
 */
import { addSubscription } from "../../../../firmware/mqtt/client";
import { type Qos } from "../../../../firmware/mqtt/packet";
import { acknowledge, Acknowledged, byHand } from "../../../../firmware/mqtt/receive/by-hand";
import { clientResume, notNow } from "../../../../firmware/mqtt/receive/hold";
import { type Message, type MessageHandler } from "../../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../../hal/node/native";
import { type World } from "./world";

/** Between two links. */
const NO_SESSION = -1;

export interface Application {
  /** Messages in parts that have begun, that came to their end, and that a lost link cut. */
  begun: number;
  ended: number;
  aborted: number;
}

/** Subscribes to `in/1` and `in/2`. What the application has taken over is in `world.heard`. */
export function attend(world: World): Application {
  const { client, held, hand, wire } = world;
  const app: Application = { begun: 0, ended: 0, aborted: 0 };
  const owed: { readonly token: number; readonly line: string }[] = [];
  let busy = held !== undefined;
  /** The session in which a message was refused that comes again as long as that lasts. */
  let refusedIn = NO_SESSION;
  let text = "";

  function refuses(): boolean {
    if (held === undefined) return false;
    const refused = busy;
    if (refused) notNow(client);
    busy = true;
    return refused;
  }

  function take({ bytes, topicAt, topicLength, qos, token }: Message, payload: string): void {
    const line = `${textAt(bytes, topicAt, topicLength)} ${payload} ${qos}`;
    if (token > 0) owed.push({ token, line });
    else world.heard.push(line);
  }

  const handler: MessageHandler = {
    message(_now, message) {
      const session = client.stats.sessions;
      if (refusedIn !== session) world.given++;
      refusedIn = refuses() ? session : NO_SESSION;
      if (refusedIn === NO_SESSION) take(message, textAt(message.bytes, message.payloadAt, message.payloadLength));
    },
    parts: {
      begin() {
        app.begun++;
        text = "";
      },
      part(_now, _message, bytes, at, count, offset) {
        if (offset !== text.length) throw new Error(`a part at ${offset} behind ${text.length} bytes`);
        if (!refuses()) text += textAt(bytes, at, count);
      },
      end(_now, message) {
        app.ended++;
        world.given++;
        take(message, text);
      },
      aborted() {
        app.aborted++;
      },
    },
  };

  function subscribe(filter: string, qos: Qos): void {
    const subscription = addSubscription(client, filter, qos, hand === undefined ? handler : byHand(hand, handler));
    if (subscription === undefined) throw new Error(`no subscription to ${filter}`);
    world.subscriptions.push(subscription);
  }

  world.idle = () => {
    if (busy && held !== undefined) {
      busy = false;
      if (held.holding) {
        clientResume(client, wire.now);
        return true;
      }
    }
    const next = owed.shift();
    if (next === undefined || hand === undefined) return false;
    // What came over a link that is gone comes again.
    if (acknowledge(client, hand, wire.now, next.token) === Acknowledged.Done) world.heard.push(next.line);
    return true;
  };
  subscribe("in/1", 1);
  subscribe("in/2", 2);
  return app;
}
