/** The firmware's client on a TCP socket, as an application sees it: features, handlers and all. */
import { onTestFinished } from "vitest";
import { clientPoll, clientStart, clientWait, createClient } from "../../firmware/mqtt/client";
import { type Client, type ClientOptions, ClientState } from "../../firmware/mqtt/client-state";
import { NodeClock } from "../../hal/node/clock";
import { TcpLink } from "../../hal/node/link-tcp";

export interface Live {
  readonly client: Client;
  /** `online`, `online, session present`, `offline`. */
  readonly events: string[];
  now(): number;
  /** Waits until something is so, for at most `ms`. */
  until(what: string, isSo: () => boolean, ms?: number): Promise<void>;
  /** Something was published or asked for: the next turn is now. */
  turn(): void;
  cut(): void;
}

const defaults: Omit<ClientOptions, "host" | "port" | "clientId"> = {
  cleanSession: true,
  keepAlive: 30,
  outboxSize: 16384,
  outboxSlots: 256,
  receiveSize: 1024,
  subscribeRoom: 512,
  coalesce: 32767,
};

type Wanted = Partial<ClientOptions> & Pick<ClientOptions, "port" | "clientId">;

/** A client that has not been started: see {@link online}. It pauses before no link. Over with its test. */
export function live(options: Wanted): Live {
  const clock = new NodeClock();
  const link = new TcpLink({ clock, patience: 5000, onTurn: () => turn() });
  const events: string[] = [];
  const waiting = new Set<() => void>();
  const client = createClient({ ...defaults, host: "127.0.0.1", ...options }, link, { next: () => 0 }, {
    online: (_now, sessionPresent) => events.push(sessionPresent ? "online, session present" : "online"),
    offline: () => events.push("offline"),
  });
  let timer: NodeJS.Timeout | undefined;
  let turning = false;

  function turn(): void {
    if (turning) return;
    turning = true;
    clientPoll(client, clock.now());
    link.pump();
    turning = false;
    clearTimeout(timer);
    timer = setTimeout(turn, Math.min(clientWait(client, clock.now()), 100));
    for (const wake of waiting) wake();
  }

  onTestFinished(() => {
    clearTimeout(timer);
    client.leaving = true;
    link.cut();
    clearTimeout(timer);
  });
  return {
    client,
    events,
    now: () => clock.now(),
    turn,
    cut: () => link.cut(),
    async until(what, isSo, ms = 10_000) {
      const deadline = Date.now() + ms;
      turn();
      while (!isSo()) {
        if (Date.now() > deadline) throw new Error(`${what} did not come within ${ms} ms; so far: ${events.slice(-10).join(", ")}`);
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            clearTimeout(late);
            waiting.delete(wake);
            resolve();
          };
          const late = setTimeout(wake, 50);
          waiting.add(wake);
        });
      }
    },
  };
}

export async function online(it: Live): Promise<void> {
  clientStart(it.client, it.now());
  await it.until("a session", () => it.client.state === ClientState.Online);
}
