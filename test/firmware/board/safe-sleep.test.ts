/** A battery board that speaks TLS: at each waking the module has forgotten the time, and all that it was told of TLS. */
import { describe, expect, it } from "vitest";
import { boardOn } from "../../../firmware/board/board-on";
import { deepSleep } from "../../../firmware/board/deep-sleep";
import { brokerTls } from "../../../firmware/board/tls";
import { createSecureEspAt } from "../../../firmware/wifi/esp-at-tls";
import { PowerSave, Trust } from "../../../firmware/wifi/module";
import { paperAuthority, type PaperServer } from "../../../sim/network/paper-certificates";
import { INTERVAL, SleepingBoard } from "./sleeping-board";

const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\nmqtt.tls=on\n";
const GOOD: PaperServer = { authority: "our authority", names: ["broker"] };
/** What a waking may take when it comes to nothing: a minute, leaving, and without a reset line the module's consent. */
const BOUND = 60_000 + 3_500 + 51_000;

const application = boardOn(createSecureEspAt, {
  name: "safe-meadow",
  power: deepSleep(),
  readings: {},
  relays: {},
  numbers: { interval: { unit: "s", min: 10, max: 86400, initial: INTERVAL } },
  telemetry: { every: "interval", fields: ["seq", "awake"] },
  rules: {},
}, brokerTls);

function asleepFirst(personality: "esp-at-2.2" | "esp-at-5", resetLine: boolean, server = GOOD, settings = SETTINGS): SleepingBoard {
  const rig = new SleepingBoard({ application, personality, machine: { resetLine } });
  rig.broker.listen(rig.network, "broker", 8883, server);
  rig.bench.storage.provision(0, settings);
  rig.bench.storage.provision(4, new TextDecoder().decode(paperAuthority("our authority")));
  rig.bench.machine.powerOn();
  rig.seconds(100);
  expect(rig.board.problem).toBe("");
  expect(rig.asleep).toBe(true);
  return rig;
}

function longest(rig: SleepingBoard): number {
  return Math.max(...rig.wakings.map(({ from, to }) => to - from));
}

describe.each(["esp-at-2.2", "esp-at-5"] as const)("a battery board with TLS at %s", (personality) => {
  it.each([true, false])("tells each reading once, and wears no flash out (reset line: %s)", (resetLine) => {
    const rig = asleepFirst(personality, resetLine);
    rig.seconds(12 * INTERVAL);
    expect(rig.told.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(rig.board.wifi.status).toMatchObject({ trust: Trust.Verified, certificateWrites: 1 });
    expect(rig.commands.filter((line) => line.startsWith("AT+CIPSTART") && !line.includes('"SSL"'))).toEqual([]);
    expect(longest(rig)).toBeLessThan(15_000);
    expect(rig.broker.faults).toEqual([]);
  });

  it.each([true, false])("says nothing of the time and of modem sleep while the module is off (reset line: %s)", (resetLine) => {
    const rig = asleepFirst(personality, resetLine, GOOD, SETTINGS + "wifi.power-save=on\n");
    const { status } = rig.board.wifi;
    expect(status).toMatchObject({ timeKnown: false, powerSave: PowerSave.Off });
    for (let ms = 0; ms < 2 * INTERVAL * 1000 && !status.timeKnown; ms += 100) rig.clock.runFor(100);
    expect(status).toMatchObject({ timeKnown: true, powerSave: PowerSave.On });
    rig.seconds(60);
    expect(rig.asleep).toBe(true);
    expect(status).toMatchObject({ timeKnown: false, powerSave: PowerSave.Off });
  });

  it("keeps its readings while there is no time server, sleeps all the same, and delivers all when there is one", () => {
    const rig = asleepFirst(personality, true);
    rig.network.timeSilent = true;
    rig.seconds(6 * INTERVAL);
    expect(rig.told.length).toBe(1);
    expect(rig.board.wifi.status.trust).toBe(Trust.NoTime);
    expect(longest(rig)).toBeLessThan(BOUND);
    rig.network.timeSilent = false;
    rig.seconds(8 * INTERVAL);
    const seqs = rig.told.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    expect(seqs.length).toBeGreaterThan(12);
  });

  it("sends nothing to a broker of another name, and sleeps all the same", () => {
    const rig = asleepFirst(personality, true, { ...GOOD, names: ["elsewhere.test"] });
    rig.seconds(2 * INTERVAL);
    expect(rig.broker.received).toEqual([]);
    expect(rig.board.wifi.status.trust).toBe(personality === "esp-at-5" ? Trust.WrongName : Trust.Failed);
    expect(longest(rig)).toBeLessThan(BOUND);
  });
});
