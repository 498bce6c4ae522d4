import { describe, expect, test } from "vitest";
import { board } from "../../../firmware/board/board";
import { exactlyOnce } from "../../../firmware/board/exactly-once";
import { five } from "../../../firmware/board/five";
import { Rig } from "./rig";
import { Terminal } from "./terminal";

const exact = board({
  name: "exact",
  readings: {},
  relays: { lamp: { pin: 2, boot: "off" } },
  numbers: { every: { unit: "s", min: 1, max: 60, initial: 5 } },
  telemetry: { every: "every", fields: ["seq"] },
  rules: {},
  mqtt: { exactlyOnce: exactlyOnce({ sending: 8, receiving: 20 }), five: five({}) },
});

const SETTINGS = "wifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\n";

function provisioned(settings: string, device = "t1"): Rig {
  const rig = new Rig();
  rig.bench.storage.provision(0, `device=${device}\n${SETTINGS}${settings}`);
  return rig.start();
}

describe("a board whose application hands in QoS 2", () => {
  test("[MQTT-4.3.3-2] takes its commands at it, and is done with each by PUBCOMP", () => {
    const rig = new Rig({ application: exact }).start();
    rig.broker.publish("moth/t1/lamp/set", "ON", { qos: 2 });
    rig.seconds(1);
    const said = rig.broker.received.map(({ packet }) => packet.cmd);
    expect(said.filter((cmd) => cmd === "pubrec" || cmd === "pubcomp")).toEqual(["pubrec", "pubcomp"]);
    expect(rig.said("lamp").at(-1)).toBe("ON");
    expect(rig.broker.pendingFor("t1")).toBe(0);
    expect(rig.broker.faults).toEqual([]);
  });

  test("still takes commands at QoS 1", () => {
    const rig = new Rig({ application: exact }).start();
    rig.order("lamp/set", "ON");
    expect(rig.said("lamp").at(-1)).toBe("ON");
  });
});

describe("the setting mqtt.protocol", () => {
  test.each([
    ["3.1", "MQIsdp", 3],
    ["3.1.1", "MQTT", 4],
  ])("%s is spoken", (version, protocolId, protocolVersion) => {
    const rig = provisioned(`mqtt.protocol=${version}\n`);
    expect(rig.board.problem).toBe("");
    expect(rig.broker.clients[0]?.connect).toMatchObject({ protocolId, protocolVersion });
    rig.seconds(10);
    expect(rig.said("telemetry").length).toBeGreaterThan(1);
  });

  test("of 5 has an application speak it that carries it, and it does not unless it is asked to", () => {
    const rig = new Rig({ application: exact });
    rig.bench.storage.provision(0, `device=t1\n${SETTINGS}mqtt.protocol=5\n`);
    rig.start();
    expect(rig.board.problem).toBe("");
    expect(rig.board.client.five).toBeDefined();
    const other = new Rig({ application: exact }).start();
    expect(other.board.client.five).toBeUndefined();
    expect(other.broker.clients[0]?.connect).toMatchObject({ protocolVersion: 4 });
  });

  test("of 5 is refused by an application that does not carry it, and the console says what to do", () => {
    const rig = provisioned("mqtt.protocol=5\n");
    expect(rig.board.problem).toBe("setting mqtt.protocol: this application has no MQTT 5, give 3.1.1 or 3.1");
    expect(rig.broker.received).toEqual([]);
  });

  test("of 3.1 is refused to a board with a longer name than that allows", () => {
    const rig = provisioned("mqtt.protocol=3.1\n", "x".repeat(24));
    expect(rig.board.problem).toBe("setting device: give at most 23 characters for MQTT 3.1");
  });

  test("is nothing else", () => {
    const rig = provisioned("");
    const terminal = new Terminal(rig).look();
    expect(terminal.ask("set mqtt.protocol=4").join(" ")).toContain("mqtt.protocol: give 3.1, 3.1.1 or 5");
    expect(provisioned("mqtt.protocol=3\n").board.problem).toBe("setting mqtt.protocol: give 3.1, 3.1.1 or 5");
  });
});
