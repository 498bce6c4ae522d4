/** What a client must do to be measured. */
import type { Qos } from "../../../firmware/mqtt/packet";

/** 29 bytes of topic, each time another, and 62 of payload: a telemetry message of the sensor board. */
export function topicOf(greenhouse: number): string {
  return `moth/greenhouse-${100 + greenhouse}/telemetry`;
}
export const TOPIC_LENGTH = topicOf(0).length;
export const PAYLOAD = '{"seq":314,"temperature":21.5,"humidity":48.2,"relay":false,"u';

/** How many messages are under way at once: a program that waits for the broker, but not for each message. */
export const WINDOW = 500;

/** With topic and payload as the client gives them to any program. */
export type Take = (topic: string, payload: Buffer) => void;

/** `done` is called when the message's flow has ended; at QoS 0, when the client has let it go. */
export type Publish = (qos: Qos, done: () => void) => void;

/** Publishes so many messages, a window of them under way, and ends when the flow of the last one has ended. */
export function publishAll(publish: Publish, qos: Qos, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    let owed = count;
    const done = (): void => {
      owed--;
      if (owed === 0) resolve();
      else if (left > 0) next();
    };
    const next = (): void => {
      left--;
      publish(qos, done);
    };
    for (let i = Math.min(WINDOW, count); i > 0; i--) next();
  });
}

/** A session that the broker keeps while the client is away. */
export interface Session {
  readonly port: number;
  readonly name: string;
  /** What it is subscribed to, and at which QoS. */
  readonly topic: string;
  readonly qos: Qos;
}

export interface Contender {
  /** Connects, and gives how to publish a message. */
  publisher(port: number, topic: string): Promise<Publish>;
  /** Subscribes in a session, and leaves. */
  prepare(session: Session): Promise<void>;
  /** Comes back to that session: `take` gets every message of it. Ends when it is there, with how to leave. */
  receive(session: Session, take: Take): Promise<() => Promise<unknown>>;
}
