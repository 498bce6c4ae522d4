import { clientPoll, clientWait } from "../../firmware/mqtt/client";
import { type Client, ClientState } from "../../firmware/mqtt/client-state";
import { type Clock, QueueNumber } from "../hal";
import type { TcpLink } from "./link-tcp";
import type { Flows } from "./mqtt-flows";
import { queueNumber } from "./native";

/** What is done in a turn besides what the firmware's client does. */
export interface Tasks {
  /** Puts what waits for room into the outbox, before anything goes and after. */
  refill(): void;
  /** At the end of the turn. */
  answer(): void;
  /** The client has left: there are no more turns. */
  finish(): void;
}

/** How many messages are worth a packet of TCP while others are under way. */
const BATCH = 32;
/** How long fewer are held back, in ms. */
const HOLD = 1;

/** When the client has its turn, and when what it has to say goes to the socket. */
export class Turns {
  private timer: NodeJS.Timeout | undefined;
  /** When the timer ends, on the clock of `performance.now()`. */
  private timerAt = Infinity;
  private soon = false;
  private turning = false;
  private readonly turnSoon = (): void => this.turn();
  /** Runs while messages are held back. */
  private heldBack: NodeJS.Timeout | undefined;
  private readonly release = (): void => {
    this.heldBack = undefined;
    this.handOn();
  };
  /** How many messages had come when the socket was last looked at. */
  private receivedBefore = 0;

  constructor(
    private readonly core: Client,
    private readonly link: TcpLink,
    private readonly clock: Clock,
    private readonly flows: Flows,
    private readonly tasks: Tasks,
  ) {}

  /** Everything that is due, and when the next turn is. */
  turn(): void {
    this.soon = false;
    if (this.turning) {
      this.wake();
      return;
    }
    const { core, tasks } = this;
    this.turning = true;
    tasks.refill();
    clientPoll(core, this.clock.now());
    this.pump();
    tasks.refill();
    this.pump();
    tasks.answer();
    this.turning = false;
    if (core.state === ClientState.Idle) this.finish();
    else this.sleep();
  }

  /** Takes a turn when what runs now has come to its end, so that what it still asks for goes out together. */
  wake(): void {
    if (this.soon) return;
    this.soon = true;
    setImmediate(this.turnSoon);
  }

  /** Makes room in the outbox: hands on what waits in it, if that can be done at once. Gives whether it could. */
  makeRoom(): boolean {
    if (!this.link.flowing || this.turning) return false;
    this.pump();
    return true;
  }

  /**
   * Whether so many messages have just come, or so many at QoS 2 are under way to us, that the broker waits for none of
   * our answers in particular: then it is listened to only once in a while, and answered with many at a time.
   */
  isBusy(): boolean {
    const { stats, exactlyOnce } = this.core;
    const came = stats.received - this.receivedBefore;
    this.receivedBefore = stats.received;
    return came >= 2 * BATCH || (exactlyOnce !== undefined && exactlyOnce.received.count >= BATCH);
  }

  private pump(): void {
    if (this.holdsBack()) this.heldBack ??= setTimeout(this.release, HOLD);
    else this.handOn();
  }

  private handOn(): void {
    this.link.pump();
    this.flows.gone();
  }

  /**
   * With many messages under way, a few more are worth no packet of their own: the broker has enough to do, and each of
   * its answers may bring some more. They wait until they are many, those under way are few, or a moment is over; no
   * longer, since a broker's system may keep its answers back until it hears from ours.
   */
  private holdsBack(): boolean {
    const { core } = this;
    if (core.window - core.quota < 2 * BATCH) return false;
    // What is said in between is held back only when it is most likely said of our own messages.
    if (core.controlDue && this.flows.exactlyOnce < 2 * BATCH) return false;
    return queueNumber(core.outbox.queue, QueueNumber.Due) + queueNumber(core.control, QueueNumber.Due) < BATCH;
  }

  /** Sees to it that the next turn comes no later than the client wants. A timer that ends early does no harm. */
  private sleep(): void {
    const at = performance.now() + clientWait(this.core, this.clock.now());
    if (this.timer !== undefined && this.timerAt <= at) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.turn();
    }, Math.ceil(at - performance.now()));
  }

  private finish(): void {
    clearTimeout(this.timer);
    clearTimeout(this.heldBack);
    this.timer = undefined;
    this.tasks.finish();
  }
}
