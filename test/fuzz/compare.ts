/** Whether a client has done as the oracle says. */
import { type Client, ClientState, Fault } from "../../firmware/mqtt/client-state";
import { QueueNumber } from "../../hal/hal";
import { queueNumber } from "../../hal/node/native";
import { packetsIn } from "./as-text";
import { type Counts, type Verdict } from "./oracle";
import { type Target } from "./target";

/** What was seen of a client that was given a stream. */
export interface Seen {
  /** What it has said, and what it was yet to say on its own account. */
  readonly said: readonly number[];
  readonly after: readonly number[];
  readonly told: readonly string[];
  /** What it had counted before, and what it counts now. */
  readonly before: Counted;
  readonly counted: Counted;
}

export interface Counted extends Counts {
  readonly violations: number;
}

export function countsOf({ client: { stats }, exactlyOnce, five }: Target): Counted {
  const { received, oversize, unmatched, acknowledged, subscriptionsRefused, violations } = stats;
  const { duplicates, overruns, discarded } = exactlyOnce?.stats ?? { duplicates: 0, overruns: 0, discarded: 0 };
  const rejected = five?.stats.rejected ?? 0;
  return {
    received,
    oversize,
    unmatched,
    acknowledged,
    subscriptionsRefused,
    duplicates,
    overruns,
    discarded,
    rejected,
    violations,
  };
}

function endOf({ state, fault }: Client): string {
  switch (state) {
    case ClientState.Online:
    case ClientState.Connecting:
      return "open";
    case ClientState.Closing:
    case ClientState.Leaving:
      return nameOf(fault);
    default:
      return `state ${state}`;
  }
}

function nameOf(fault: Fault): string {
  switch (fault) {
    case Fault.Refused:
      return "refused";
    case Fault.Dismissed:
      return "dismissed";
    case Fault.Violation:
      return "violation";
    case Fault.Full:
      return "full";
    case Fault.NotAuthentic:
      return "not authentic";
    default:
      return `fault ${fault}`;
  }
}

/** A queue that says impossible things of itself was written to where it must not be. */
function tornQueue(name: string, queue: ArrayLike<number>, number: (key: QueueNumber) => number): string | undefined {
  const used = number(QueueNumber.Used);
  const count = number(QueueNumber.Count);
  const due = number(QueueNumber.Due);
  const sound = used >= 0 && used <= queue.length && count >= 0 && due >= 0 && due <= count && (count > 0 || used === 0);
  return sound ? undefined : `the ${name} is torn: ${used} bytes, ${count} packets, ${due} due`;
}

/** DISCONNECT with a reason code, in hex. */
function farewell(code: number): string {
  return `e001${code.toString(16)}`;
}

function wrongAnswers(verdict: Verdict, said: readonly string[]): string | undefined {
  const { end, answers, own, codes } = verdict;
  const calm = end === "open" || end === "full";
  // Whoever else closes the link without a word says no more of what waits.
  const silent = !calm && codes.length === 0;
  const due = calm ? [...answers, ...own] : silent ? answers.slice(0, said.length) : answers;
  const bye = silent || calm ? undefined : said.at(-1);
  const rest = bye === undefined ? said : said.slice(0, -1);
  if (rest.join() !== due.join()) return `says [${rest.join(", ")}] instead of [${due.join(", ")}]`;
  if (bye === undefined || codes.map(farewell).includes(bye)) return undefined;
  return `ends with ${bye} instead of ${codes.map(farewell).join(" or ")}: ${verdict.because}`;
}

/** What a client may say of itself, when all is answered: it asks for what it wants, as far as the broker lets it. */
function wrongAfterwards({ end, wanted, largest, wildcards }: Verdict, packets: readonly string[]): string | undefined {
  const subscribes = packets.filter((packet) => packet.startsWith("82"));
  const asked = wanted.filter((filter) => subscribes.some((packet) => packet.includes(Buffer.from(filter).toString("hex"))));
  if (packets.length > subscribes.length) return `says ${packets.join(", ")}, for which there is no cause`;
  if (end !== "open") return packets.length === 0 ? undefined : `says ${packets.join(", ")} after the end`;
  if (packets.some((packet) => packet.length / 2 > largest)) return `asks with ${packets.join(", ")}, which is too large`;
  if (!wildcards && packets.length > 0) return "asks for wildcards, which there are not";
  // The longest SUBSCRIBE that there is here.
  const mayAsk = wildcards && largest >= 64;
  return mayAsk && asked.length < wanted.length ? `does not ask for ${wanted.join()}` : undefined;
}

const names = [
  "received",
  "oversize",
  "unmatched",
  "acknowledged",
  "subscriptionsRefused",
  "duplicates",
  "overruns",
  "discarded",
  "rejected",
] as const;

function wrongCounts(expected: Counts, before: Counted, counted: Counted): string | undefined {
  const wrong = names.filter((name) => counted[name] - before[name] !== expected[name]);
  if (wrong.length === 0) return undefined;
  const told = wrong.map((name) => `${name} ${counted[name] - before[name]} instead of ${expected[name]}`);
  return `counts ${told.join(", ")}`;
}

export function compare({ client, messages }: Target, verdict: Verdict, seen: Seen): string | undefined {
  const { before, counted } = seen;
  const end = endOf(client);
  if (end !== verdict.end) {
    if (end === "open") return `accepts a malformed packet: ${verdict.because}`;
    if (verdict.end === "open") return `takes good packets for a ${end}, breach ${client.breach}`;
    return `ends as ${end} what is ${verdict.end}: ${verdict.because}`;
  }
  if (messages.join("\n") !== verdict.messages.join("\n")) {
    return `delivers [${messages.join(", ")}] instead of [${verdict.messages.join(", ")}]`;
  }
  if (seen.told.join("\n") !== verdict.told.join("\n")) {
    return `tells [${seen.told.join(", ")}] instead of [${verdict.told.join(", ")}]`;
  }
  const violations = counted.violations - before.violations;
  if (violations !== (end === "violation" ? 1 : 0)) return `counts ${violations} violations, and ends as ${end}`;
  return (
    wrongAnswers(verdict, packetsIn(seen.said)) ??
    wrongCounts(verdict.counts, before, counted) ??
    wrongAfterwards(verdict, packetsIn(seen.after)) ??
    tornQueue("outbox", client.outboxQueue, (key) => queueNumber(client.outboxQueue, key)) ??
    tornQueue("control ring", client.control, (key) => queueNumber(client.control, key))
  );
}
