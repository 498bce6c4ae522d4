/** What people write behind the flags, checked: whatever is wrong is a {@link Failure} that says what to give instead. */
import { Failure } from "./failure";

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  /** `mqtts`: TLS, and its certificate is checked. */
  readonly tls: boolean;
}

/** `mqtt://user@host:port`, or `mqtts://…` for TLS, without a password. */
export function brokerAddress(text: string): BrokerAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Failure(`--broker ${text}: not a URL: write mqtt://host, mqtt://host:1883 or mqtt://user@host`);
  }
  if (url.password !== "") {
    throw new Failure(
      "--broker: a password on the command line can be read by everybody on this machine: " +
        "leave it out and set MOTH_MQTT_PASSWORD, or be asked for it",
    );
  }
  const tls = url.protocol === "mqtts:";
  if (url.protocol !== "mqtt:" && !tls) {
    throw new Failure(`--broker ${text}: give mqtt://host, or mqtts://host for TLS`);
  }
  if (url.hostname === "" || !["", "/"].includes(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new Failure(`--broker ${text}: write mqtt://host, mqtt://host:1883 or mqtt://user@host`);
  }
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? usualPort(tls) : Number(url.port),
    user: user === "" ? undefined : user,
    tls,
  };
}

/** Where brokers listen unless said otherwise. */
export function usualPort(tls: boolean): number {
  return tls ? 8883 : 1883;
}

/** As it is written for people. */
export function brokerUrl({ host, port, tls }: Pick<BrokerAddress, "host" | "port" | "tls">): string {
  return `${tls ? "mqtts" : "mqtt"}://${host}:${port}`;
}

/** 1 to 32 of `A-Z a-z 0-9 _ -`. */
export function deviceId(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(text)) {
    throw new Failure(`--device ${text}: give 1 to 32 letters, digits, _ or -`);
  }
  return text;
}

/** What `--for` takes: a number of seconds, with fractions if need be. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0) || value > 1e9) {
    throw new Failure(`--for ${text}: give a number of seconds above 0`);
  }
  return value;
}

/** A whole number from `least` to `most`. */
export function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > most) {
    throw new Failure(`${flag} ${text}: give a whole number from ${least} to ${most}`);
  }
  return value;
}

/** What `--set` takes: `NAME=NUMBER`. */
export function setting(text: string): [string, number] {
  const [name = "", value = "", ...rest] = text.split("=");
  if (name === "" || value.trim() === "" || rest.length > 0 || !Number.isFinite(Number(value))) {
    throw new Failure(`--set ${text}: write NAME=NUMBER, for example temperature=31`);
  }
  return [name, Number(value)];
}

/** For an option that may be given again: commander's way to collect them. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
