/**
 * A whole session on a driver: the MQTT client, the driver, the simulated module, and a broker behind it, with messages at
 * every QoS both ways, and what has become of each.
 */
import { addSubscription, clientPoll, clientStart, clientWait, createClient } from "../../../firmware/mqtt/client";
import { type Client, ClientState } from "../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../firmware/mqtt/exactly-once/create";
import { outboxCount } from "../../../firmware/mqtt/outbox";
import { createPublication, type Publication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import type { MessageHandler } from "../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../hal/node/native";
import { type LoggedPacket, ScriptedBroker } from "../../../sim/network/broker";
import { EVERY_QOS, MessageAccount, type Qos } from "./message-account";
import { type LinkHolder, SimulatedBoard, type SimulatedOptions } from "./simulated-board";

const CLIENT_ID = "t1";
const LONGEST_PAYLOAD = 100;

export class SessionBench extends SimulatedBoard {
  readonly broker: ScriptedBroker;
  readonly client: Client;
  /** From the board to the broker, and the other way. */
  readonly up = new MessageAccount("up");
  readonly down = new MessageAccount("down");

  protected readonly holder: LinkHolder;

  private readonly publications: Readonly<Record<Qos, Publication>>;
  /** Identifiers of messages at QoS 2 that the broker has taken in, and that the client has not let go of. */
  private readonly taken = new Set<number>();

  constructor(options: SimulatedOptions = {}) {
    super(options);
    const { clock, network, wifi } = this;
    this.broker = new ScriptedBroker(clock, {
      onPacket: (direction, entry) => {
        if (direction === "in") this.note(entry);
      },
    });
    this.broker.listen(network, "broker", 1883);
    const publish = (qos: Qos): Publication => createPublication(`up/${qos}`, qos, false, LONGEST_PAYLOAD);
    this.publications = { 0: publish(0), 1: publish(1), 2: publish(2) };
    const client = createClient(
      {
        host: "broker",
        port: 1883,
        clientId: CLIENT_ID,
        cleanSession: false,
        keepAlive: 30,
        outboxSize: 2048,
        outboxSlots: 16,
        receiveSize: 256,
        subscribeRoom: 128,
        coalesce: 32767,
        exactlyOnce: createExactlyOnce({ sending: 8, receiving: 20 }),
      },
      wifi.link,
      this.entropy,
      { online() {}, offline() {} },
    );
    this.client = client;
    for (const qos of EVERY_QOS) {
      if (addSubscription(client, `down/${qos}`, qos, this.listener(qos)) === undefined) throw new Error("no subscription");
    }
    this.holder = {
      poll: (now) => clientPoll(client, now),
      wait: (now) => clientWait(client, now),
    };
    clientStart(client, 0);
  }

  get online(): boolean {
    return this.client.state === ClientState.Online;
  }

  /** The session is there with all that was subscribed to. */
  start(): void {
    const there = (): boolean => this.online && this.broker.sent.some(({ packet }) => packet.cmd === "suback");
    if (!this.until(there, 60_000)) throw new Error(`no session: ${this.story}`);
  }

  /** The board publishes a message at a QoS, if its outbox takes it. */
  publish(qos: Qos): void {
    const publication = this.publications[qos];
    const payload = this.up.next(qos);
    if (publishText(this.client, publication, payload)) this.up.give(qos, payload);
    this.turn();
  }

  /** The broker has a message for the board. */
  deliver(qos: Qos): void {
    const payload = this.down.next(qos);
    this.down.give(qos, payload);
    this.broker.publish(`down/${qos}`, payload, { qos });
  }

  /** One message at every QoS both ways, every so many ms, until `end`. */
  talk(every: number, end: number): void {
    for (const qos of EVERY_QOS) {
      this.publish(qos);
      this.deliver(qos);
    }
    if (this.clock.now + every < end) this.clock.after(every, () => this.talk(every, end));
  }

  /** Whether messages that are given now, at every QoS and both ways, arrive within so many ms. */
  works(within: number): boolean {
    const given: { readonly account: MessageAccount; readonly qos: Qos; readonly payload: string }[] = [];
    const give = (account: MessageAccount, qos: Qos): string => {
      const payload = account.next(qos);
      given.push({ account, qos, payload });
      return payload;
    };
    const end = this.clock.now + within;
    for (const qos of EVERY_QOS) {
      // At QoS 0 it is not taken, or lost, while there is no session; the outbox may be full of what is still to go.
      const payload = give(this.up, qos);
      let taken = false;
      const take = (): boolean => (taken ||= this.online && publishText(this.client, this.publications[qos], payload));
      if (!this.until(take, end - this.clock.now)) return false;
      this.up.give(qos, payload);
      this.turn();
      this.down.give(qos, give(this.down, qos));
      this.broker.publish(`down/${qos}`, given.at(-1)?.payload ?? "", { qos });
      const there = (): boolean => given.every((one) => one.qos === 0 || one.account.times(one.qos, one.payload) > 0);
      if (!this.until(there, end - this.clock.now)) return false;
    }
    return given.every(({ account, qos, payload }) => qos === 1 || account.times(qos, payload) <= 1);
  }

  /** Connected, and nothing at QoS 1 and 2 is left to be done on either side. */
  get settled(): boolean {
    return (
      this.online && this.broker.clients.length === 1 && this.broker.pendingFor(CLIENT_ID) === 0 && outboxCount(this.client.outbox) === 0 &&
      this.up.missing.length === 0 && this.down.missing.length === 0
    );
  }

  /** What must not be: a QoS that has not kept its promise, whatever else is still to come. */
  get wrong(): string[] {
    return [...this.up.wrong, ...this.down.wrong];
  }

  /** How it stands, for the message of a test that fails. */
  get story(): string {
    const { wifi, client, broker, commands, up, down } = this;
    return JSON.stringify({
      at: Math.round(this.clock.now), clientState: client.state, link: wifi.link.state, wifi: { ...wifi.status }, client: { ...client.stats },
      faults: broker.faults, pending: broker.pendingFor(CLIENT_ID), outbox: outboxCount(client.outbox), up: up.missing, down: down.missing,
      commands: commands.slice(-10),
    });
  }

  private listener(qos: Qos): MessageHandler {
    return {
      message: (_now, { bytes, payloadAt, payloadLength }) => this.down.came(qos, textAt(bytes, payloadAt, payloadLength)),
    };
  }

  private note({ packet }: LoggedPacket): void {
    if (packet.cmd === "pubrel") this.taken.delete(packet.messageId ?? 0);
    if (packet.cmd !== "publish") return;
    const { qos, messageId = 0 } = packet;
    if (qos === 2 && this.taken.has(messageId)) return;
    if (qos === 2) this.taken.add(messageId);
    this.up.came(qos, packet.payload.toString("latin1"));
  }
}
