import { describe, expect, test } from "vitest";
import { ScriptedBroker } from "../../../sim/network/broker";
import { Rig } from "./rig";
import { Terminal } from "./terminal";

const BENCH = "wifi.password=not a secret\n";

function started(settings: string, prepare: (rig: Rig) => void = () => undefined): { rig: Rig; terminal: Terminal } {
  const rig = new Rig();
  rig.bench.storage.provision(0, `device=t1\n${settings}`);
  prepare(rig);
  rig.start();
  return { rig, terminal: new Terminal(rig).look() };
}

function events(terminal: Terminal): string[] {
  return terminal.ask("log").slice(0, -1).map((line) => line.replace(/^\d+ s /, ""));
}

describe("Wi-Fi networks", () => {
  test("are tried in order until one lets the board in, without a pause between them", () => {
    const { rig, terminal } = started(
      "wifi.ssid=away\nwifi2.ssid=bench\nwifi2.password=wrong\nwifi3.ssid=bench\nwifi3.password=not a secret\nmqtt.host=broker\n",
    );
    rig.seconds(10);
    expect(events(terminal)).toEqual([
      "started by power-on",
      "cannot join away: no such network",
      "cannot join bench: wrong password",
      "joined bench",
      "online at broker",
    ]);
    expect(terminal.askMap("status").get("wifi")).toBe("joined bench");
  });

  test("begin at the first again after the last, with a pause", () => {
    const { rig, terminal } = started("wifi.ssid=one\nwifi3.ssid=three\nmqtt.host=broker\n");
    rig.seconds(60);
    const tried = events(terminal).slice(1);
    expect(tried.slice(0, 4)).toEqual([
      "cannot join one: no such network",
      "cannot join three: no such network",
      "cannot join one: no such network",
      "cannot join three: no such network",
    ]);
    const times = terminal.ask("log").slice(1, -1).map((line) => Number(line.split(" ")[0]));
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    const toThird = gaps.filter((_, i) => i % 2 === 0);
    const toFirst = gaps.filter((_, i) => i % 2 === 1);
    expect(Math.max(...toThird)).toBeLessThanOrEqual(Math.min(...toThird) + 1);
    expect(Math.max(...toFirst)).toBeGreaterThan(Math.max(...toThird) + 2);
  });

  test("that come back are joined again, the last one first", () => {
    const { rig, terminal } = started(`wifi.ssid=away\nwifi2.ssid=bench\nwifi2.password=not a secret\nmqtt.host=broker\n`);
    rig.seconds(10);
    rig.bench.air.up = false;
    rig.seconds(5);
    rig.bench.air.up = true;
    rig.seconds(60);
    expect(events(terminal).slice(-3)).toEqual(["lost the Wi-Fi bench", "joined bench", "online at broker"]);
  });
});

describe("brokers", () => {
  test("are tried in order until one gives a session", () => {
    const second = (rig: Rig): void => {
      rig.broker.stop();
      new ScriptedBroker(rig.clock).listen(rig.network, "second", 1884);
    };
    const { rig, terminal } = started(`wifi.ssid=bench\n${BENCH}mqtt.host=broker\nmqtt2.host=second\nmqtt2.port=1884\n`, second);
    rig.seconds(10);
    expect(events(terminal)).toEqual([
      "started by power-on",
      "joined bench",
      "no session at broker: the broker cannot be reached",
      "online at second",
    ]);
    expect(terminal.askMap("status").get("mqtt")).toBe("online at second");
  });

  test("that refuse the board are left for the next", () => {
    const refusing = (rig: Rig): void => {
      rig.broker.refuse(5);
      new ScriptedBroker(rig.clock).listen(rig.network, "third", 1883);
    };
    const { rig, terminal } = started(`wifi.ssid=bench\n${BENCH}mqtt.host=broker\nmqtt3.host=third\n`, refusing);
    rig.seconds(10);
    expect(events(terminal).slice(2)).toEqual(["no session at broker: not authorised", "online at third"]);
  });

  test("begin at the first again after the last, with a backoff", () => {
    const { rig, terminal } = started(`wifi.ssid=bench\n${BENCH}mqtt.host=nobody\nmqtt2.host=noone\n`);
    rig.seconds(120);
    const tried = events(terminal).filter((event) => event.startsWith("no session"));
    expect(tried.slice(0, 3)).toEqual([
      "no session at nobody: the broker cannot be reached",
      "no session at noone: the broker cannot be reached",
      "no session at nobody: the broker cannot be reached",
    ]);
  });

  test("whose session is lost are asked first, and nothing that was queued is lost on the way to another", () => {
    const arrived = new Set<string>();
    const { rig, terminal } = started(`wifi.ssid=bench\n${BENCH}mqtt.host=broker\nmqtt2.host=second\n`);
    const second = new ScriptedBroker(rig.clock);
    second.listen(rig.network, "second", 1883);
    rig.seconds(10);
    rig.broker.stop();
    rig.seconds(60);
    expect(events(terminal).slice(-3)).toEqual([
      "lost broker: closed by the broker",
      "no session at broker: the broker cannot be reached",
      "online at second",
    ]);
    for (const broker of [rig.broker, second]) {
      for (const { payload } of broker.published("moth/t1/telemetry")) {
        arrived.add(/"seq":(\d+)/.exec(payload.toString())?.[1] ?? "");
      }
    }
    expect(arrived.size).toBe(rig.board.telemetry.count);
  });

  test("are not blamed for a network that is gone", () => {
    const { rig, terminal } = started(`wifi.ssid=bench\n${BENCH}mqtt.host=broker\nmqtt2.host=second\n`);
    new ScriptedBroker(rig.clock).listen(rig.network, "second", 1883);
    rig.broker.mute("connack");
    rig.broker.kick("t1");
    rig.seconds(5);
    rig.bench.air.up = false;
    rig.seconds(5);
    rig.broker.mute("connack", false);
    rig.bench.air.up = true;
    rig.seconds(60);
    expect(events(terminal)).toContain("no session at broker: no Wi-Fi");
    expect(events(terminal).at(-1)).toBe("online at broker");
  });
});
