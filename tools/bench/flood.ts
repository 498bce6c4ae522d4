/** A board that does nothing but publish as much as its outbox takes, or listen, to find out what the line carries. */
import type { Hal } from "../../hal/hal";
import { allocate, putText, textLength } from "#native";
import type { Application, Board } from "../../firmware/board/application";
import { loadSettings } from "../../firmware/board/settings";
import { later, sooner } from "../../firmware/core/time";
import { addSubscription, clientPoll, clientStart, clientWait, createClient } from "../../firmware/mqtt/client";
import { ClientState } from "../../firmware/mqtt/client-state";
import type { Qos } from "../../firmware/mqtt/packet";
import { createPublication } from "../../firmware/mqtt/publication";
import { publishBytes } from "../../firmware/mqtt/publish";
import { type MessageHandler } from "../../firmware/mqtt/subscriptions";
import { createEspAt } from "../../firmware/wifi/esp-at";

export interface FloodOptions {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  /** The most messages in one send command. */
  readonly coalesce: number;
  readonly buffers: FloodBuffers;
  /** Subscribes to the topic and hands over what comes, instead of publishing. */
  readonly listener?: MessageHandler | undefined;
}

/** In bytes, unless said otherwise. */
export interface FloodBuffers {
  readonly outbox: number;
  /** Messages. */
  readonly outboxSlots: number;
  /** The most in one send of the module, if it takes as many. */
  readonly send: number;
  /** The most that one receive asks for; and what is read of it at a time, at least 3 more. */
  readonly receivePiece: number;
  readonly window: number;
  /** The largest message that is delivered, topic included. */
  readonly receive: number;
  /** All filters as one SUBSCRIBE. The ring for acknowledgements grows with it, and what is asked for at a time with that. */
  readonly subscribe: number;
}

/** @boot */
export function floodBoard(options: FloodOptions): Application {
  return {
    name: "flood",
    /** @boot */
    boot(hal: Hal) {
      return createFlood(options, hal);
    },
  };
}

/** @boot */
function createFlood(options: FloodOptions, hal: Hal): Board {
  const settings = loadSettings(hal.storage);
  const { buffers } = options;
  const wifi = createEspAt(hal, {
    networks: settings.networks,
    baud: settings.baud,
    maxBaud: settings.baud,
    window: buffers.window,
    maxSend: buffers.send,
    maxReceive: buffers.receivePiece,
    pollEvery: 2000,
    security: undefined,
  });
  const client = createClient(
    {
      host: settings.brokers[0]?.host ?? "",
      port: settings.brokers[0]?.port ?? 0,
      clientId: settings.device,
      cleanSession: true,
      keepAlive: 30,
      outboxSize: buffers.outbox,
      outboxSlots: buffers.outboxSlots,
      receiveSize: buffers.receive,
      subscribeRoom: buffers.subscribe,
      coalesce: options.coalesce,
    },
    wifi.link,
    hal.entropy,
    { online() {}, offline() {} },
  );
  const payloadLength = textLength(options.payload);
  const payload = allocate(payloadLength);
  putText(payload, 0, options.payload);
  const publication = createPublication(options.topic, options.qos, false, payloadLength);
  const publishes = options.listener === undefined;
  if (options.listener !== undefined) addSubscription(client, options.topic, options.qos, options.listener);
  clientStart(client, hal.clock.now());
  return {
    problem: settings.problem,
    device: settings.device,
    client,
    wifi,
    commands: { obeyed: 0, rejected: 0, retained: 0 },
    telemetry: { count: 0 },
    trustReason: () => "",
    rules: [],
    poll() {
      const now = hal.clock.now();
      wifi.receive(now);
      clientPoll(client, now);
      // Until it is refused: then the outbox is full.
      let more = publishes && client.state === ClientState.Online;
      while (more) more = publishBytes(client, publication, payload, 0, payloadLength);
      wifi.pump(now);
      hal.idle(later(now, sooner(wifi.wait(now), clientWait(client, now))));
    },
    stop() {},
    stopped() {
      return false;
    },
  };
}
