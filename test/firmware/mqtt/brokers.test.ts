import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../firmware/core/link";
import { clientStart, clientWait } from "../../../firmware/mqtt/client";
import { connect, createSession, passTime, poll, type Session } from "./session";

const otherBrokers = [{ host: "second", port: 1884 }, { host: "third", port: 1885 }];

/** Where the client goes next, and how long that takes. */
function nextOf(session: Session): readonly [string | undefined, number] {
  const before = session.link.opened.length;
  session.entropy = 999;
  const wait = clientWait(session.client, session.link.now);
  passTime(session, wait);
  return [session.link.opened[before], wait];
}

function failTo(session: Session, host: string): void {
  while (session.link.opened.at(-1) !== host) {
    session.link.down(LinkLoss.Unreachable);
    passTime(session, clientWait(session.client, session.link.now));
  }
}

describe("several brokers", () => {
  it("are tried in their order, without a pause until all were, then from the first again behind a backoff", () => {
    const session = createSession({ otherBrokers });
    clientStart(session.client, 0);
    poll(session);
    session.entropy = 999;
    const tried: (readonly [string | undefined, boolean])[] = [];
    for (let i = 0; i < 6; i++) {
      session.link.down(LinkLoss.Unreachable);
      const [host, wait] = nextOf(session);
      tried.push([host, wait > 0]);
    }
    expect(session.link.opened[0]).toBe("broker:1883");
    expect(tried).toEqual([
      ["second:1884", false],
      ["third:1885", false],
      ["broker:1883", true],
      ["second:1884", false],
      ["third:1885", false],
      ["broker:1883", true],
    ]);
  });

  for (const [cleanSession, next] of [[true, "broker:1883"], [false, "second:1884"]] as const) {
    it(`are asked from ${cleanSession ? "the first" : "the one that has kept the session"} on when a session at the second is lost`, () => {
      const session = createSession({ otherBrokers, cleanSession });
      clientStart(session.client, 0);
      poll(session);
      failTo(session, "second:1884");
      session.link.up();
      session.link.flush();
      session.link.receive(Uint8Array.from([0x20, 2, 0, 0]));
      session.link.down(LinkLoss.Peer);
      expect(nextOf(session)[0]).toBe(next);
    });
  }

  it("are not gone through when there is no network", () => {
    const session = createSession({ otherBrokers });
    connect(session);
    for (const loss of [LinkLoss.Network, LinkLoss.Module, LinkLoss.Damaged]) {
      session.link.down(loss);
      expect(nextOf(session)[0]).toBe("broker:1883");
    }
  });
});
