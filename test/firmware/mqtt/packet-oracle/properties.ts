/** Properties as mqtt-packet has them, by name, in the words of the fuzzer's oracle. */
import { hex } from "../../../fuzz/oracle/world";

const numbers: Readonly<Record<string, number>> = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  subscriptionIdentifier: 11,
  topicAlias: 35,
};

/** The largest number that the client tells. */
const MOST = 2147483647;

function described(value: unknown): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number") return String(Math.min(value, MOST));
  return hex(typeof value === "string" || Buffer.isBuffer(value) ? value : "");
}

/** The properties of a message, in their order: ` 35:2 38:6e=76`. */
export function describeProperties(properties: object = {}): string {
  let text = "";
  for (const [name, value] of Object.entries(properties)) {
    if (name === "userProperties") text += describePairs(value);
    else for (const each of valuesOf(value)) text += ` ${numbers[name] ?? name}:${described(each)}`;
  }
  return text;
}

function describePairs(pairs: unknown): string {
  if (typeof pairs !== "object" || pairs === null) throw new Error("user properties that are no record");
  const all: [string, unknown][] = Object.entries(pairs);
  const told = ([name, value]: [string, unknown]): string => ` 38:${described(name)}=${described(value)}`;
  return all.flatMap(([name, value]) => valuesOf(value).map((each) => told([name, each]))).join("");
}

function valuesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
