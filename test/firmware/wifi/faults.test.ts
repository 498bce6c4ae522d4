/**
 * Every fault of the catalogue, in every module in which it makes sense: it strikes, the board is connected again within a
 * bound, every QoS keeps its promise both ways, and the counters say what happened. Whatever the firmware reads and writes
 * passes the checks of the natives on the ends of each buffer, in Lua those of the address sanitizer too; that it allocates
 * nothing is shown in `test/lua/device/sealed-faults.test.ts`.
 */
import { describe, expect, it } from "vitest";
import type { WifiStatus } from "../../../firmware/wifi/module";
import { FAULTS, type FaultName, faultNames, faultsOf } from "../../../sim/faults";
import type { ModuleName } from "../../../sim/modules";
import { alters, endure, expectHolds, grown, hasOccasion, MODULES, needsPin } from "./endure";

type Counter = keyof WifiStatus;

/** The network or the link was lost, and is back. */
const REOPENED: readonly Counter[] = ["opens"];
/** The module has forgotten everything. */
const REBOOTED: readonly Counter[] = ["resyncs", "joins", "opens"];
/** It had to be reset. */
const RESET: readonly Counter[] = ["timeouts", "resyncs", "resets", "joins", "opens"];
const UNANSWERED: readonly Counter[] = ["timeouts", "resyncs", "opens"];
const NOTHING: readonly Counter[] = [];

/**
 * The counters that have to grow, of a board with a reset pin; `opens` grows with each link that was lost. What costs
 * nothing but time, or strikes where it does no harm, need not be counted.
 */
const COUNTED: Readonly<Record<FaultName, readonly Counter[]>> = {
  "prompt.lost": UNANSWERED,
  "prompt.late": NOTHING,
  "prompt.split": NOTHING,
  "prompt.space": NOTHING,
  "cmd.busy_p": ["busy"],
  "cmd.busy_then_ok": ["busy"],
  "cmd.busy_forever": RESET,
  "cmd.no_reply": UNANSWERED,
  "cmd.late_ok": ["busy", "resyncs", "opens"],
  "cmd.error_spurious": NOTHING,
  "echo.on": REBOOTED,
  "echo.split": REBOOTED,
  "urc.in_reply": NOTHING,
  "rx.drop": NOTHING,
  "rx.drop_in_header": NOTHING,
  "rx.corrupt": NOTHING,
  "tx.drop": UNANSWERED,
  "tx.overrun": ["damaged", "opens"],
  "send.silent_window": NOTHING,
  "send.plus3": ["escapes", "resyncs", "opens"],
  "send.fail": REOPENED,
  "send.fail_then_ok": REOPENED,
  "send.ok_late": NOTHING,
  "send.ok_never": RESET,
  "send.closed_mid": REOPENED,
  "link.closed_before_data": REOPENED,
  "link.closed_withheld": REOPENED,
  "link.double_closed": REOPENED,
  "link.error_then_closed": ["openFailures", "opens"],
  "link.connect_late": UNANSWERED,
  "link.already": ["openFailures", "opens"],
  "link.unexpected_connect": NOTHING,
  "link.half_open": REOPENED,
  "link.slow_peer": NOTHING,
  "passive.lost_notice": NOTHING,
  "passive.len_mismatch": NOTHING,
  "wifi.drop": ["wifiLosses", "loss", "opens"],
  "wifi.drop_silent": ["wifiLosses", "loss", "opens"],
  "wifi.join_fail": ["joinFailures", "joins", "opens"],
  "wifi.no_autoreconnect": ["wifiLosses", "loss", "joins", "opens"],
  "wifi.ip_change": ["wifiLosses", "loss", "opens"],
  "module.reset": REBOOTED,
  "module.reset_at_other_baud": RESET,
  "module.wdt_loop": REBOOTED,
  "module.tls_oom": NOTHING,
  "module.hang": RESET,
  "module.transparent_stuck": UNANSWERED,
  "module.sleep_wake": NOTHING,
  "boot.autojoin": REBOOTED,
  "uart.flow_stall": RESET,
  "nul.bytes": NOTHING,
  "cmd.long": UNANSWERED,
  "dns.fail": ["openFailures", "opens"],
  "dns.slow": ["openFailures", "opens"],
  "sntp.unset": NOTHING,
};
/** What the other module's driver finds out in another way: a reset asks nothing first, and a search is a resync only at first. */
const COUNTED_ELSEWHERE: Partial<Record<ModuleName, Partial<Record<FaultName, readonly Counter[]>>>> = {
  ism43362: { "module.hang": ["timeouts", "resets", "joins", "opens"] },
};
/** Counters that stand for something that went wrong: they keep still while nothing does. */
const TROUBLE: readonly string[] = [
  "resets", "reboots", "timeouts", "resyncs", "escapes", "hunts", "holdOffs", "fallbacks", "joinFailures", "wifiLosses", "openFailures", "damaged",
];
/** What a driver that does as it should has no trouble with, whenever it strikes: the link is kept. */
const HARMLESS: readonly FaultName[] = [
  "prompt.late", "prompt.split", "prompt.space", "cmd.busy_p", "cmd.busy_then_ok", "send.silent_window", "send.ok_late",
  "link.slow_peer", "passive.lost_notice", "passive.len_mismatch", "module.tls_oom", "sntp.unset",
];
/** Each a run of its own: how many, and with which chance, can be asked for. */
const SEEDS = Number(process.env["MOTH_SEEDS"] ?? 1);
const FIRST_SEED = Number(process.env["MOTH_SEED"] ?? 11);

function survive(personality: ModuleName, name: FaultName, resetLine: boolean, seed: number): void {
  const endured = endure(personality, resetLine, seed, [{ name, at: 0 }]);
  const { bench, struck, before } = endured;
  if (hasOccasion(name)) expect(struck).toContain(name);
  expectHolds(endured, alters(name, personality, resetLine));
  const moved = grown(before, bench.wifi.status);
  if (resetLine) expect(moved).toEqual(expect.arrayContaining([...(COUNTED_ELSEWHERE[personality]?.[name] ?? COUNTED[name])]));
  if (!HARMLESS.includes(name)) return;
  expect(moved.filter((counter) => TROUBLE.includes(counter))).toEqual([]);
  expect(bench.client.stats.losses).toBe(0);
}

describe.each(MODULES)("with %s", (personality) => {
  it.each(faultsOf(personality))("%s is survived, with every message, and counted", { timeout: 60_000 * SEEDS }, (name) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      survive(personality, name, true, seed);
      if (!needsPin(name, personality)) survive(personality, name, false, seed);
    }
  });
});

it("every fault of the catalogue makes sense in a module", () => {
  const everywhere = new Set(MODULES.flatMap((personality) => faultsOf(personality)));
  expect(faultNames.filter((name) => !everywhere.has(name))).toEqual([]);
  expect(Object.keys(FAULTS)).toHaveLength(Object.keys(COUNTED).length);
});
