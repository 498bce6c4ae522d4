/** What a client must do to be measured. */
import type { Qos } from "../../../firmware/mqtt/packet";

/** 29 bytes of topic and 62 of payload: a telemetry message of the sensor board. */
export const TOPIC = "moth/greenhouse-one/telemetry";
export const PAYLOAD = '{"seq":314,"temperature":21.5,"humidity":48.2,"relay":false,"u';

/** How many messages are under way at once: a program that waits for the broker, but not for each message. */
export const WINDOW = 500;

/** With topic and payload as the client gives them to any program. */
export type Take = (topic: string, payload: Buffer) => void;

/** `done` is called when the message's flow has ended; at QoS 0, when the client has let it go. */
export type Publish = (qos: Qos, done: () => void) => void;

export interface Contender {
  /** Connects, and gives how to publish a message. */
  publisher(port: number): Promise<Publish>;
  /** Subscribes in a session that the broker keeps, and leaves. */
  prepare(port: number, session: string, qos: Qos): Promise<void>;
  /** Comes back to that session: `take` gets every message of it. Ends when it is there. */
  receive(port: number, session: string, qos: Qos, take: Take): Promise<void>;
}
