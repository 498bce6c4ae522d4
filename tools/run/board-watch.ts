/**
 * Tells what a board does, from what can be seen of it between two turns of its loop. Unlike a simulated module, a real
 * one cannot be watched from inside.
 */
import type { Board } from "../../firmware/board/application";
import { ClientState } from "../../firmware/mqtt/client-state";
import { JoinFailure, Way } from "../../firmware/wifi/module";
import { REFUSALS } from "../sim/mqtt-watch";
import type { Reporter, Topic } from "../sim/report";
import { TrustWatch, whyNot } from "../sim/trust-watch";

type Tell = (topic: Topic, event: string, text: string, data?: Record<string, unknown>) => void;

const JOIN_FAILURES = new Map<JoinFailure, string>([
  [JoinFailure.TimedOut, "no answer from it"],
  [JoinFailure.WrongPassword, "wrong password"],
  [JoinFailure.NoSuchNetwork, "no such network"],
]);

/** Commands without an answer in a row, before a module that has never answered is called silent. */
const SILENCE = 2;

export class BoardWatch {
  /** Whether a broker has ever accepted a session. */
  wasOnline = false;
  /** What went wrong last; undefined while all is well. */
  trouble: string | undefined;
  /** The reason of a broker that refused the session; undefined while none has. */
  refusal: string | undefined;

  private readonly counts = new Map<string, number>();
  private readonly tell: Tell;
  private readonly trust: TrustWatch;
  private answered = false;
  private joined = false;
  private online = false;

  /** `now`: milliseconds since the start. */
  constructor(
    private readonly board: Board,
    now: () => number,
    reporter: Reporter,
  ) {
    this.trust = new TrustWatch(now, reporter);
    this.tell = (topic, event, text, data) => reporter.event(now(), topic, event, text, data);
  }

  /** To be called after each turn. */
  look(): void {
    this.lookAtModule();
    this.lookAtWifi();
    this.lookAtTrust();
    this.lookAtSession();
    this.lookAtMessages();
  }

  private lookAtModule(): void {
    const { status } = this.board.wifi;
    if (!this.answered && status.way >= Way.SettingUp) {
      this.answered = true;
      this.tell("module", "ready", "answers");
    }
    if (this.more("resets", status.resets) && status.resets > 1) this.tell("module", "reset", "is being reset");
    if (this.more("reboots", status.reboots)) this.tell("module", "rebooted", "has reset itself");
    if (this.more("timeouts", status.timeouts)) this.timedOut(status.timeouts);
  }

  private timedOut(times: number): void {
    if (this.answered) {
      this.tell("module", "timeout", "did not answer in time");
    } else if (times >= SILENCE) {
      this.complain("module", "silent", "the module does not answer: check power, wiring (RX to TX) and --baud");
    }
  }

  private lookAtWifi(): void {
    const { status } = this.board.wifi;
    const joined = status.way === Way.Joined;
    if (joined !== this.joined) {
      this.joined = joined;
      this.tell("wifi", joined ? "joined" : "lost", joined ? `joined ${status.ssid}` : "lost");
    }
    if (this.more("joinFailures", status.joinFailures)) {
      const reason = JOIN_FAILURES.get(status.joinFailure) ?? "the module says no more";
      const text = `cannot join ${status.ssid} (${reason})`;
      this.complain("wifi", "join-failed", text, { reason });
    }
    if (this.more("openFailures", status.openFailures)) {
      const { host, port } = this.board.client.options;
      const text = `the module cannot connect to ${host}:${port}`;
      this.complain("tcp", "unreachable", text, { host, port });
    }
  }

  /** What is said of a broker that is not to be trusted takes the place of what a module says of one it cannot reach. */
  private lookAtTrust(): void {
    const { board } = this;
    this.trust.look(board);
    const reason = whyNot(board);
    if (reason !== "") this.trouble = reason;
  }

  private lookAtSession(): void {
    const { client } = this.board;
    if (this.more("refusals", client.stats.refusals)) {
      this.refusal = REFUSALS.get(client.refusal) ?? `return code ${client.refusal}`;
      this.complain("mqtt", "refused", `the broker refused: ${this.refusal}`, { code: client.refusal });
    }
    if (this.more("sessions", client.stats.sessions)) {
      this.wasOnline = true;
      this.online = true;
      this.trouble = undefined;
      this.tell("mqtt", "online", "online");
    }
    if (this.online && client.state !== ClientState.Online) {
      this.online = false;
      this.tell("mqtt", "offline", "offline");
    }
  }

  private lookAtMessages(): void {
    const { client, commands } = this.board;
    const { published, acknowledged, retried, received } = client.stats;
    if (this.more("published", published)) this.tell("send", "published", `${published} published`, { total: published });
    if (this.more("retried", retried)) this.tell("send", "retried", `${retried} sent again`, { total: retried });
    if (this.more("acknowledged", acknowledged)) {
      this.tell("ack", "acknowledged", `${acknowledged} acknowledged`, { total: acknowledged });
    }
    if (this.more("received", received)) this.tell("receive", "received", `${received} received`, { total: received });
    if (this.more("obeyed", commands.obeyed)) this.tell("receive", "obeyed", "command obeyed");
    if (this.more("rejected", commands.rejected)) this.tell("receive", "rejected", "command rejected");
    if (this.more("retained", commands.retained)) this.tell("receive", "ignored", "retained command ignored");
  }

  private complain(topic: Topic, event: string, text: string, data?: Record<string, unknown>): void {
    this.trouble = text;
    this.tell(topic, event, `${text}; it will be tried again`, data);
  }

  /** Whether a counter has grown since it was last asked for. */
  private more(name: string, count: number): boolean {
    const before = this.counts.get(name) ?? 0;
    this.counts.set(name, count);
    return count > before;
  }
}
