/** Tells what happens between board, module and network: resets, Wi-Fi, TCP, and with `--trace at` every byte. */
import type { SimClock } from "../../sim/clock";
import type { ModuleObserver, ResetCause } from "../../sim/module/observer";
import { strikeText } from "../faults";
import { AtTrace } from "./at-trace";
import { printable, type Reporter } from "./report";

const CAUSES: Record<ResetCause, string> = {
  power: "has power",
  pin: "reset by its pin",
  wake: "wakes up from deep sleep",
  command: "reset by a command",
  exception: "has reset itself",
  crash: "has reset itself",
};

/** Sees what goes through the module's links. */
export interface Traffic {
  open(): void;
  fromBoard(bytes: Uint8Array): void;
  toBoard(bytes: Uint8Array): void;
}

export function watchModule(
  clock: SimClock, reporter: Reporter, traffic: Traffic, traced: boolean, goesOn: () => boolean,
): ModuleObserver {
  const trace = new AtTrace((direction, text) => {
    reporter.event(clock.now, "trace", "at", `${direction} ${printable(text)}`, { direction, bytes: text });
  });
  return {
    ...(traced && {
      fromHost: (bytes: Uint8Array) => trace.fromBoard(bytes),
      toHost: (bytes: Uint8Array) => trace.toBoard(bytes),
    }),
    reset: (cause) => reporter.event(clock.now, "module", "reset", CAUSES[cause], { cause }),
    fault: (name, argument) => reporter.event(clock.now, "fault", "fault", strikeText(name, argument), { name, argument }),
    ready: () => reporter.event(clock.now, "module", "ready", "ready"),
    wifiJoined: (ssid, ip) => {
      reporter.event(clock.now, "wifi", "joined", `joined ${printable(ssid)} as ${ip}`, { ssid, ip });
    },
    wifiLost: () => reporter.event(clock.now, "wifi", "lost", "lost"),
    linkOpened: (_link, host, port) => {
      traffic.open();
      reporter.event(clock.now, "tcp", "connected", `connected to ${host}:${port}`, { host, port });
    },
    linkRefused: (_link, host, port, reason) => {
      const text = `cannot connect to ${host}:${port} (${reason})${goesOn() ? ", will be tried again" : ""}`;
      reporter.event(clock.now, "tcp", "unreachable", text, { host, port, reason });
    },
    linkClosed: () => {
      reporter.event(clock.now, "tcp", "closed", goesOn() ? "closed, the board will connect again" : "closed");
    },
    linkSent: (_link, bytes) => traffic.fromBoard(bytes),
    linkReceived: (_link, bytes) => traffic.toBoard(bytes),
  };
}
