/** A relay: an output pin that is switched by a command and says how it stands. */
import { type Bytes, PinMode, type Pins } from "../../hal/hal";
import { isText } from "#native";

/** A relay as an application declares it. */
export interface RelaySpec {
  readonly pin: number;
  /** How it stands after power-on. */
  readonly boot: "on" | "off";
}

export interface Relay {
  readonly pins: Pins;
  readonly pin: number;
  on: boolean;
}

/** `undefined` when the board has no such pin. @boot */
export function createRelay(pins: Pins, spec: RelaySpec): Relay | undefined {
  if (!pins.configure(spec.pin, PinMode.Output)) return undefined;
  const relay = { pins, pin: spec.pin, on: spec.boot === "on" };
  pins.write(relay.pin, relay.on);
  return relay;
}

/** Obeys `ON` or `OFF`. Gives what is wrong with anything else, and then nothing has changed; empty when obeyed. */
export function commandRelay(relay: Relay, bytes: Bytes, at: number, count: number): string {
  const on = isText(bytes, at, count, "ON");
  if (!on && !isText(bytes, at, count, "OFF")) return "send ON or OFF";
  relay.on = on;
  relay.pins.write(relay.pin, on);
  return "";
}
