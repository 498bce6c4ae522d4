/** A board that publishes as much as its outbox takes, to find out what the way to the broker carries. */
import type { Hal } from "../../hal/hal";
import { allocate, putText, textLength } from "#native";
import type { Application, Board } from "../../firmware/board/application";
import { loadSettings } from "../../firmware/board/settings";
import { later, sooner } from "../../firmware/core/time";
import { clientPoll, clientStart, clientWait, createClient } from "../../firmware/mqtt/client";
import { ClientState } from "../../firmware/mqtt/client-state";
import type { Qos } from "../../firmware/mqtt/packet";
import { createPublication } from "../../firmware/mqtt/publication";
import { publishBytes } from "../../firmware/mqtt/publish";
import { createEspAt } from "../../firmware/wifi/esp-at";

export interface FloodOptions {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  /** The most messages in one send command. */
  readonly coalesce: number;
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
  const wifi = createEspAt(hal, {
    networks: settings.networks,
    baud: settings.baud,
    maxBaud: settings.baud,
    window: 1024,
    maxSend: 4096,
    maxReceive: 960,
    pollEvery: 2000,
  });
  const client = createClient(
    {
      host: settings.brokers[0]?.host ?? "",
      port: settings.brokers[0]?.port ?? 0,
      clientId: settings.device,
      cleanSession: true,
      keepAlive: 30,
      outboxSize: 4096,
      outboxSlots: 64,
      receiveSize: 512,
      subscribeRoom: 64,
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
  clientStart(client, hal.clock.now());
  return {
    problem: settings.problem,
    device: settings.device,
    client,
    wifi,
    commands: { obeyed: 0, rejected: 0, retained: 0 },
    telemetry: { count: 0 },
    rules: [],
    poll() {
      const now = hal.clock.now();
      wifi.receive(now);
      clientPoll(client, now);
      // Until it is refused: then the outbox is full.
      let more = client.state === ClientState.Online;
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
