/** The setting `wifi.power-save`: what the module is told, and what `status` says of it. */
import { describe, expect, it } from "vitest";
import { boardOn } from "../../../firmware/board/board-on";
import { createIsm43362 } from "../../../firmware/wifi/ism43362/ism43362";
import { Rig, type RigOptions } from "./rig";
import { Terminal } from "./terminal";

const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\n";

function started(line: string, options: RigOptions = {}): { rig: Rig; commands: string[]; said: string | undefined } {
  const commands: string[] = [];
  const rig = new Rig({ ...options, observer: { command: (command) => commands.push(command) } });
  rig.bench.storage.provision(0, SETTINGS + line);
  rig.start();
  rig.seconds(20);
  expect(rig.board.problem).toBe("");
  return { rig, commands, said: new Terminal(rig).look().askMap("status").get("wifi.power-save") };
}

describe("wifi.power-save", () => {
  it.each([["nonos-1.7", "AT+SLEEP=2"], ["esp-at-2.2", "AT+SLEEP=1"], ["esp-at-5", "AT+SLEEP=1"]] as const)(
    "on: %s is told %s, and the board works as ever", (personality, command) => {
      const { rig, commands, said } = started("wifi.power-save=on\n", { personality });
      expect(commands.filter((text) => text.startsWith("AT+SLEEP"))).toEqual([command]);
      expect(said).toBe("on");
      const before = rig.said("telemetry").length;
      rig.seconds(600);
      expect(rig.said("telemetry").length).toBe(before + 120);
      rig.order("relay/set", "ON");
      expect(rig.said("relay").at(-1)).toBe("ON");
      expect(rig.board.client.stats.losses).toBe(0);
      expect(rig.board.wifi.status).toMatchObject({ timeouts: 0, resyncs: 0, damaged: 0 });
    });

  it.each(["wifi.power-save=off\n", "wifi.power-save=\n", ""])("%j: the module stays awake", (line) => {
    const { commands, said } = started(line);
    expect(commands.filter((text) => text.startsWith("AT+SLEEP"))).toEqual([]);
    expect(said).toBe("off");
  });

  it("on: a module of a family that knows no way to it is left as it is, and that is told", () => {
    const application = boardOn(createIsm43362, {
      name: "other", readings: {}, relays: {}, rules: {},
      numbers: { every: { unit: "s", min: 1, max: 60, initial: 5 } },
      telemetry: { every: "every", fields: ["seq"] },
    });
    const { rig, said } = started("wifi.power-save=on\n", { application, personality: "ism43362" });
    expect(said).toBe("this module cannot");
    expect(rig.said("telemetry").length).toBeGreaterThan(1);
  });
});
