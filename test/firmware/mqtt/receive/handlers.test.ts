/** What a handler may do from within itself, with packets behind its own in the same read. */
import { describe, expect, it } from "vitest";
import { LinkState } from "../../../../firmware/core/link";
import { clientLeave, clientStart } from "../../../../firmware/mqtt/client";
import { ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { clientDrop } from "../../../../firmware/mqtt/drop";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { subscribeAgain, SubscriptionState, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import {
  commands,
  connect,
  createListener,
  createSession,
  describeMessage,
  dial,
  exchange,
  finishClosing,
  fromBroker,
  message,
  passTime,
  publishes,
  reconnect,
  type Session,
} from "../session";
import { acks, bytesOf, granted, settle, subscribe } from "./rig";

/** Three messages and the answer to a ping, which come in one read. */
const flood = bytesOf(
  message("a", "1", { qos: 1, messageId: 1 }),
  message("a", "2"),
  message("a", "3", { qos: 1, messageId: 3 }),
  { cmd: "pingresp" },
);

interface Acting {
  readonly session: Session;
  readonly heard: string[];
}

/** Online; the first message of all makes its handler act. */
function acting(act: (session: Session) => void): Acting {
  const session = createSession();
  const heard: string[] = [];
  subscribe(session, "a", {
    message(_now, given) {
      heard.push(describeMessage(given));
      if (heard.length === 1) act(session);
    },
  });
  settle(session);
  return { session, heard };
}

const all = ["a 1 1", "a 2 0", "a 3 1"];

describe("a handler, with packets behind its own in the same read,", () => {
  it.each([1, 3, 1000])("may publish at QoS 0 and 1: all that is behind is delivered, in reads of %i bytes", (chunk) => {
    const plain = createPublication("r", 0, false, 9);
    const sure = createPublication("s", 1, false, 9);
    const { session, heard } = acting(({ client }) => {
      publishText(client, plain, "p");
      publishText(client, sure, "q");
    });
    session.link.receive(flood, chunk);
    expect(heard).toEqual(all);
    const sent = exchange(session);
    expect(acks(sent)).toEqual([1, 3]);
    expect(publishes(sent)).toEqual(["r p 0 0", "s q 1 2"]);
  });

  it("may take up and end subscriptions: the others are delivered, and the broker is told of both", () => {
    const session = createSession();
    const heard: string[] = [];
    const other = subscribe(session, "b", createListener());
    const own = subscribe(session, "a", {
      message(_now, given) {
        heard.push(describeMessage(given));
        unsubscribe(own);
        subscribeAgain(other);
      },
    });
    settle(session);
    unsubscribe(other);
    exchange(session);
    fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [] });
    session.link.receive(flood);
    // Until the UNSUBACK the broker goes on to send, and what it sends is delivered.
    expect(heard).toEqual(all);
    expect(commands(exchange(session))).toEqual(["puback", "puback", "subscribe", "unsubscribe"]);
    expect([own.state, other.state]).toEqual([SubscriptionState.Leaving, SubscriptionState.Asked]);
  });

  it("may leave: what is behind is delivered and acknowledged, then comes DISCONNECT", () => {
    const { session, heard } = acting(({ client, link }) => clientLeave(client, link.now, 1000));
    session.link.receive(flood);
    expect(heard).toEqual(all);
    expect(commands(exchange(session))).toEqual(["puback", "puback", "disconnect"]);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);
  });

  it.each([1, 1000])("may cut the link: nothing behind is acted on, nothing is sent, in reads of %i bytes", (chunk) => {
    const { session, heard } = acting(({ client }) => clientDrop(client));
    session.link.receive(flood, chunk);
    expect(heard).toEqual(["a 1 1"]);
    expect(session.client).toMatchObject({ state: ClientState.Closing, fault: Fault.Dropped });
    expect(session.link.closes).toBe(1);
    expect(session.link.flush()).toHaveLength(0);
    finishClosing(session);
    connect(session, true);
    session.link.receive(flood);
    expect(heard).toEqual(["a 1 1", ...all]);
    expect(acks(exchange(session))).toEqual([1, 3]);
  });

  it("may cut the link and start anew, leave and cut it, cut it twice", () => {
    for (const act of [
      ({ client, link }: Session) => {
        clientDrop(client);
        clientStart(client, link.now);
      },
      ({ client }: Session) => {
        clientDrop(client);
        clientDrop(client);
      },
      ({ client, link }: Session) => {
        clientLeave(client, link.now, 1000);
        clientDrop(client);
      },
    ]) {
      const { session, heard } = acting(act);
      session.link.receive(flood);
      expect(heard).toEqual(["a 1 1"]);
      expect(session.link.closes).toBe(1);
      finishClosing(session);
      const { leaving, state } = session.client;
      expect(state).toBe(leaving ? ClientState.Idle : ClientState.BackingOff);
    }
  });

  it("may cut the link for the handlers behind it, too: they have the message, and it comes again to all", () => {
    const session = createSession();
    const second = createListener();
    let drops = 0;
    subscribe(session, "a", {
      message() {
        drops++;
        if (drops === 1) clientDrop(session.client);
      },
    });
    subscribe(session, "#", second);
    settle(session);
    session.link.receive(flood);
    finishClosing(session);
    connect(session, true);
    fromBroker(session, message("a", "1", { qos: 1, messageId: 1, dup: true }));
    expect(second.heard).toEqual(["a 1 1", "a 1 1 dup"]);
    expect(acks(exchange(session))).toEqual([1]);
  });

  it("may close the link itself: what has come in the same read is still delivered, and comes again", () => {
    const { session, heard } = acting(({ client }) => client.link.close());
    session.link.receive(flood);
    expect(heard).toEqual(all);
    expect(session.link.state).toBe(LinkState.Closing);
    expect(session.link.flush()).toHaveLength(0);
    finishClosing(session);
    connect(session, true);
    expect(acks(exchange(session))).toEqual([]);
  });
});

describe("a handler that is called on the way out, after DISCONNECT was queued,", () => {
  function leaving(act: (session: Session) => void): Acting {
    const given = acting(act);
    clientLeave(given.session.client, given.session.link.now, 1000);
    passTime(given.session, 0);
    expect(given.session.client.state).toBe(ClientState.Leaving);
    return given;
  }

  it("may publish at QoS 1, which waits for the next session; nothing follows DISCONNECT [MQTT-3.14.4-2]", () => {
    const sure = createPublication("s", 1, false, 9);
    const { session } = leaving(({ client }) => publishText(client, sure, "q"));
    session.link.receive(flood);
    expect(commands(exchange(session))).toEqual(["disconnect"]);
    finishClosing(session);
    connect(session, true);
    expect(publishes(exchange(session))).toEqual(["s q 1 2"]);
  });

  it("may cut the link: DISCONNECT is not sent", () => {
    const { session, heard } = leaving(({ client }) => clientDrop(client));
    session.link.receive(flood);
    expect(heard).toEqual(["a 1 1"]);
    expect(session.link.flush()).toHaveLength(0);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);
  });

  it("may leave again", () => {
    const { session, heard } = leaving(({ client, link }) => clientLeave(client, link.now, 5));
    session.link.receive(flood);
    expect(heard).toEqual(all);
    expect(commands(exchange(session))).toEqual(["disconnect"]);
  });
});

describe("the application, told that it is online in the middle of a read,", () => {
  function greeting(act: (session: Session) => void): Acting {
    const session = createSession();
    const listener = createListener();
    subscribe(session, "a", listener);
    session.onOnline = () => {
      session.onOnline = () => undefined;
      act(session);
    };
    dial(session);
    session.link.takePackets();
    const connack = bytesOf({ cmd: "connack", returnCode: 0, sessionPresent: true });
    session.link.receive(Uint8Array.from([...connack, ...flood]));
    return { session, heard: listener.heard };
  }

  it("may cut the link: nothing behind CONNACK is acted on", () => {
    const { session, heard } = greeting(({ client }) => clientDrop(client));
    expect(heard).toEqual([]);
    expect(session.link.flush()).toHaveLength(0);
    finishClosing(session);
    connect(session, true);
    expect(session.client.state).toBe(ClientState.Online);
  });

  it("may leave: what is behind CONNACK is delivered and acknowledged", () => {
    const { session, heard } = greeting(({ client, link }) => clientLeave(client, link.now, 1000));
    expect(heard).toEqual(all);
    expect(commands(exchange(session))).toContain("puback");
  });
});

describe("cutting the link from outside", () => {
  it("ends it while it is being opened, and while CONNACK is awaited; the next try comes after a backoff", () => {
    for (const until of ["opening", "connecting"]) {
      const session = createSession();
      session.entropy = 700;
      clientStart(session.client, session.link.now);
      passTime(session, 0);
      if (until === "connecting") session.link.up();
      clientDrop(session.client);
      finishClosing(session);
      passTime(session, 699);
      expect(session.link.opened).toHaveLength(1);
      passTime(session, 1);
      expect(session.link.opened).toHaveLength(2);
    }
  });

  it("does nothing when there is no link", () => {
    const session = createSession();
    clientDrop(session.client);
    expect(session.client).toMatchObject({ state: ClientState.Idle, fault: Fault.None });
    connect(session);
    session.entropy = 500;
    reconnect(session, true);
    expect(session.client.state).toBe(ClientState.Online);
    session.link.close();
    finishClosing(session);
    clientDrop(session.client);
    expect(session.client).toMatchObject({ state: ClientState.BackingOff, fault: Fault.None });
    granted(session);
  });
});
