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
  /** Which of all messages that the outbox took and did not drop unsent it is, counted from 1. */
  number: number;
}

/** Who waits for which message: those at QoS 0 until it is handed to the socket, the others until it is acknowledged. */
export class Flows {
  /** How many messages at QoS 2 have not ended. */
  exactlyOnce = 0;
  private accepted = 0;
  /** By packet identifier. */
  private readonly acks: (Waiting | undefined)[] = [];
  /** At QoS 0, in the order of the outbox, from `first` on. */
  private handed: Waiting[] = [];
  private first = 0;

  constructor(private readonly client: Client) {}

  /** The outbox has taken the last message that was published. */
  add(qos: number, resolve: () => void, reject: (error: MqttError) => void): void {
    this.accepted++;
    if (qos === 2) this.exactlyOnce++;
    const waiting = { qos, number: this.accepted, resolve, reject };
    if (qos === 0) this.handed.push(waiting);
    else this.acks[this.client.lastId] = waiting;
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

  /** The message with this identifier is dropped from among those that are due: it counts as if it had never been taken. */
  unsent(id: number, error: MqttError): void {
    const number = this.acks[id]?.number;
    if (number === undefined) return;
    this.ended(id, error);
    this.accepted--;
    const closeUp = (waiting: Waiting | undefined): void => {
      if (waiting !== undefined && waiting.number > number) waiting.number--;
    };
    this.handed.forEach(closeUp);
    this.acks.forEach(closeUp);
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
