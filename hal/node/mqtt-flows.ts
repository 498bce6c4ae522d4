import type { Client } from "../../firmware/mqtt/client-state";
import { outboxHolds } from "../../firmware/mqtt/outbox";
import { QueueNumber } from "../hal";
import type { MqttError } from "./mqtt-error";
import { queueNumber } from "./native";

/** Somebody who waits for the end of a message's flow. */
interface Waiting {
  readonly qos: number;
  readonly resolve: () => void;
  readonly reject: (error: MqttError) => void;
}

interface Handed extends Waiting {
  /** Which of all messages that the outbox ever took it is, counted from 1. */
  readonly number: number;
}

/** Who waits for which message: those at QoS 0 until it is handed to the socket, the others until it is acknowledged. */
export class Flows {
  /** How many messages at QoS 2 have not ended. */
  exactlyOnce = 0;
  private accepted = 0;
  /** By packet identifier. */
  private readonly acks: (Waiting | undefined)[] = [];
  /** At QoS 0, in the order of the outbox, from `first` on. */
  private handed: Handed[] = [];
  private first = 0;

  constructor(private readonly client: Client) {}

  /** The outbox has taken the last message that was published. */
  add(qos: number, resolve: () => void, reject: (error: MqttError) => void): void {
    this.accepted++;
    if (qos === 2) this.exactlyOnce++;
    if (qos === 0) this.handed.push({ qos, number: this.accepted, resolve, reject });
    else this.acks[this.client.lastId] = { qos, resolve, reject };
  }

  /** The flow of the message with this identifier has ended; `error` when the broker did not want it. */
  ended(id: number, error?: MqttError): void {
    const waiting = this.acks[id];
    if (waiting === undefined) return;
    this.acks[id] = undefined;
    if (waiting.qos === 2) this.exactlyOnce--;
    if (error === undefined) waiting.resolve();
    else waiting.reject(error);
  }

  /** Something has gone to the socket. Messages leave in order, so those that are due are the last that were taken. */
  gone(): void {
    if (this.handed.length === 0) return;
    const sent = this.accepted - queueNumber(this.client.outbox.queue, QueueNumber.Due);
    while (this.first < this.handed.length) {
      const next = this.handed[this.first];
      if (next === undefined || next.number > sent) return;
      this.first++;
      next.resolve();
    }
    this.handed = [];
    this.first = 0;
  }

  /** The link is lost, and with it what waited at QoS 0. */
  linkLost(error: MqttError): void {
    const lost = this.handed.slice(this.first);
    this.handed = [];
    this.first = 0;
    for (const waiting of lost) waiting.reject(error);
  }

  /** Some messages may have been dropped: whoever waits for one that the client does not hold any more is told. */
  reconcile(error: MqttError): void {
    this.acks.forEach((waiting, id) => {
      if (waiting !== undefined && !outboxHolds(this.client.outbox, id)) this.ended(id, error);
    });
  }

  /** Nothing more will happen. */
  over(error: MqttError): void {
    this.linkLost(error);
    this.acks.forEach((_waiting, id) => this.ended(id, error));
  }
}
