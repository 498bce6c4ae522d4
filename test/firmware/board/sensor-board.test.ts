import { describe, expect, test } from "vitest";
import { Rig } from "./rig";
import { outboxCount } from "../../../firmware/mqtt/outbox";

describe("availability", () => {
  test("is online, retained, as the first thing after CONNACK, and offline is the will", () => {
    const rig = new Rig().start();
    const [connect, first] = rig.broker.received.map(({ packet }) => packet);
    expect(connect).toMatchObject({
      cmd: "connect",
      clientId: "t1",
      clean: true,
      will: { topic: "moth/t1/availability", qos: 1, retain: true },
    });
    expect(first).toMatchObject({ cmd: "publish", topic: "moth/t1/availability", retain: true });
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
    expect(rig.broker.faults).toEqual([]);
  });

  test("is offline by the will when the power is cut, and online again when it is back", () => {
    const rig = new Rig().start();
    rig.bench.machine.cutPower();
    rig.seconds(1);
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("offline");
    rig.bench.machine.powerOn();
    rig.seconds(5);
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
  });

  test("is put right when somebody says offline of a board that is there", () => {
    const rig = new Rig().start();
    rig.order("availability", "offline", true);
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
    expect(rig.said("availability")).toEqual(["online", "online"]);
  });

  test("is offline before DISCONNECT at a clean stop, and stays so", () => {
    const rig = new Rig().start();
    rig.bench.machine.stop();
    rig.seconds(6);
    expect(rig.board.stopped()).toBe(true);
    expect(rig.said("availability")).toEqual(["online", "offline"]);
    expect(rig.broker.received.at(-1)?.packet.cmd).toBe("disconnect");
    rig.seconds(600);
    expect(rig.broker.received.at(-1)?.packet.cmd).toBe("disconnect");
  });
});

describe("telemetry", () => {
  test("comes every 5 s, numbered from 1, with the values of the world", () => {
    const rig = new Rig();
    rig.bench.world.set("temperature", 21.5);
    rig.bench.world.set("humidity", 48.2);
    rig.start();
    rig.seconds(10);
    expect(rig.said("telemetry")).toEqual([
      '{"seq":1,"temperature":21.5,"humidity":48.2,"relay":false,"uptime":2}',
      '{"seq":2,"temperature":21.5,"humidity":48.2,"relay":false,"uptime":7}',
      '{"seq":3,"temperature":21.5,"humidity":48.2,"relay":false,"uptime":12}',
    ]);
  });

  test.each([
    [-40, 0],
    [-0.1, 0.1],
    [0, 50],
    [125, 100],
  ])("is right for %d °C and %d %%", (temperature, humidity) => {
    const rig = new Rig();
    rig.bench.world.set("temperature", temperature);
    rig.bench.world.set("humidity", humidity);
    rig.start();
    const [payload = ""] = rig.said("telemetry");
    expect(payload).toContain(`"temperature":${temperature.toFixed(1)},"humidity":${humidity.toFixed(1)},`);
  });

  test("has null for a sensor that is not there, which is JSON as NaN is not", () => {
    const rig = new Rig();
    rig.bench.world.microvolts = () => -1;
    rig.start();
    const [payload = ""] = rig.said("telemetry");
    expect(payload).toContain('"temperature":null,"humidity":null,');
    expect(JSON.parse(payload)).toMatchObject({ temperature: null });
  });

  test("is kept while the broker is away, and all of it arrives in order", () => {
    const rig = new Rig().start();
    rig.broker.stop();
    rig.seconds(90);
    rig.broker.start({ keep: false });
    rig.seconds(90);
    const seqs = rig.said("telemetry").map((payload) => Number(/"seq":(\d+)/.exec(payload)?.[1]));
    expect([...new Set(seqs)]).toEqual(Array.from({ length: rig.board.telemetry.count }, (_, index) => index + 1));
    expect(rig.board.client.stats.refused).toBe(0);
  });

  test("drops the oldest that waits, counted, when the outbox is full, and the one gap in seq is before the outage's end", () => {
    const rig = new Rig().start();
    rig.broker.stop();
    rig.seconds(400);
    const { stats } = rig.board.client;
    expect(stats).toMatchObject({ refused: 0, replaced: 0, displaced: 0 });
    expect(stats.overwritten).toBeGreaterThan(30);
    expect(outboxCount(rig.board.client.outbox)).toBeLessThanOrEqual(32);
    rig.broker.start({ keep: false });
    rig.seconds(120);
    const seqs = [...new Set(rig.said("telemetry").map((payload) => Number(/"seq":(\d+)/.exec(payload)?.[1])))];
    expect(seqs).toHaveLength(rig.board.telemetry.count - stats.overwritten);
    expect(seqs.filter((seq, place) => place > 0 && seq !== (seqs[place - 1] ?? 0) + 1)).toHaveLength(1);
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
  });

  test("pushes no rule's message out for good: it is published when there is room again", () => {
    const rig = new Rig().start();
    rig.broker.stop();
    rig.seconds(10);
    rig.bench.world.set("temperature", 30);
    rig.seconds(400);
    rig.bench.world.set("temperature", 20);
    rig.seconds(10);
    expect(rig.board.client.stats.overwritten).toBeGreaterThan(30);
    expect(rig.said("ac/set")).toEqual([]);
    rig.broker.start({ keep: false });
    rig.seconds(120);
    expect(rig.said("ac/set")).toEqual(['{"setpoint":26}']);
  });

  test("goes on without a pause, and counts its uptime on, while the clock wraps", () => {
    const rig = new Rig({ machine: { clockAtBoot: 0x7fffffff - 20_000 } }).start();
    rig.seconds(60);
    const uptimes = rig.said("telemetry").map((payload) => Number(/"uptime":(\d+)/.exec(payload)?.[1]));
    expect(uptimes).toEqual(Array.from({ length: 13 }, (_, index) => 2 + 5 * index));
  });
});

describe("relay/set", () => {
  test("switches the pin and says so, retained", () => {
    const rig = new Rig().start();
    rig.order("relay/set", "ON");
    expect(rig.bench.world.pinLevel(2)).toBe(true);
    expect(rig.broker.retainedText("moth/t1/relay")).toBe("ON");
    rig.order("relay/set", "OFF");
    expect(rig.bench.world.pinLevel(2)).toBe(false);
    expect(rig.said("relay")).toEqual(["OFF", "ON", "OFF"]);
    expect(rig.board.commands).toEqual({ obeyed: 2, rejected: 0, retained: 0 });
  });

  test.each(["on", "", "ONN", "O", " ON", "TRUE", "\u0000", "ON\n"])("does not take %j", (payload) => {
    const rig = new Rig().start();
    rig.order("relay/set", payload);
    expect(rig.bench.world.pinLevel(2)).toBe(false);
    expect(rig.said("error")).toEqual(['{"command":"relay/set","reason":"send ON or OFF"}']);
    expect(rig.board.commands).toEqual({ obeyed: 0, rejected: 1, retained: 0 });
  });

  test("is ignored when retained, at every reconnect", () => {
    const rig = new Rig();
    rig.broker.publish("moth/t1/relay/set", "ON", { qos: 1, retain: true });
    rig.start();
    rig.broker.kick("t1");
    rig.seconds(10);
    expect(rig.bench.world.pinLevel(2)).toBe(false);
    expect(rig.board.commands).toEqual({ obeyed: 0, rejected: 0, retained: 2 });
    expect(rig.said("error")).toEqual([]);
  });

  test("is said again to a broker that has restarted and forgotten it", () => {
    const rig = new Rig().start();
    rig.order("relay/set", "ON");
    rig.broker.stop();
    rig.seconds(5);
    rig.broker.start({ keep: false });
    rig.seconds(60);
    expect(rig.broker.retainedText("moth/t1/relay")).toBe("ON");
    expect(rig.broker.retainedText("moth/t1/interval")).toBe("5");
  });

  test("is off after a power cut, whatever it was before", () => {
    const rig = new Rig().start();
    rig.order("relay/set", "ON");
    rig.bench.machine.cutPower();
    rig.seconds(1);
    rig.bench.machine.powerOn();
    rig.seconds(5);
    expect(rig.broker.retainedText("moth/t1/relay")).toBe("OFF");
  });

  test("that is far too large is read over, acknowledged and counted, and the next one is obeyed", () => {
    const rig = new Rig().start();
    rig.order("relay/set", "x".repeat(5000));
    rig.order("relay/set", "ON");
    rig.seconds(5);
    expect(rig.board.client.stats.oversize).toBe(1);
    expect(rig.bench.world.pinLevel(2)).toBe(true);
    expect(rig.broker.pendingFor("t1")).toBe(0);
    expect(rig.board.client.stats.sessions).toBe(1);
  });
});

describe("interval/set", () => {
  test("changes the interval from now on, and says so", () => {
    const rig = new Rig().start();
    rig.order("interval/set", "60");
    const before = rig.said("telemetry").length;
    rig.seconds(58);
    expect(rig.said("telemetry").length).toBe(before);
    rig.seconds(3);
    expect(rig.said("telemetry").length).toBe(before + 1);
    expect(rig.broker.retainedText("moth/t1/interval")).toBe("60");
  });

  test.each(["1", "86400"])("takes %s", (payload) => {
    const rig = new Rig().start();
    rig.order("interval/set", payload);
    expect(rig.broker.retainedText("moth/t1/interval")).toBe(payload);
  });

  test.each(["0", "86401", "-1", "1.5", "1e3", "0x10", "", "five", "4294967297"])("does not take %j", (payload) => {
    const rig = new Rig().start();
    rig.order("interval/set", payload);
    expect(rig.broker.retainedText("moth/t1/interval")).toBe("5");
    expect(rig.said("error")).toEqual([
      '{"command":"interval/set","reason":"send a whole number of seconds from 1 to 86400"}',
    ]);
  });

  test("is kept over a power cut, and written to flash once however often it was set", () => {
    const rig = new Rig().start();
    for (const payload of ["10", "20", "30", "7"]) rig.order("interval/set", payload);
    rig.seconds(10);
    expect(rig.bench.storage.writes[1]).toBe(1);
    rig.bench.machine.cutPower();
    rig.seconds(1);
    rig.bench.machine.powerOn();
    rig.seconds(5);
    expect(rig.broker.retainedText("moth/t1/interval")).toBe("7");
  });
});

describe("the rule", () => {
  test("fires once per crossing, with 1 °C of hysteresis", () => {
    const rig = new Rig();
    const { world } = rig.bench;
    world.set("temperature", 28);
    rig.start();
    expect(rig.said("ac/set")).toEqual([]);
    world.set("temperature", 28.1);
    rig.seconds(10);
    expect(rig.said("ac/set")).toEqual(['{"setpoint":26}']);
    // Trembling around the limit is not a crossing; only 27.0 ends it.
    for (const degrees of [27.9, 28.2, 27.1, 28.5]) {
      world.set("temperature", degrees);
      rig.seconds(5);
    }
    expect(rig.said("ac/set").length).toBe(1);
    world.set("temperature", 27);
    rig.seconds(5);
    world.set("temperature", 29);
    rig.seconds(5);
    expect(rig.said("ac/set").length).toBe(2);
  });

  test("fires when it is too warm already at power-on", () => {
    const rig = new Rig();
    rig.bench.world.set("temperature", 31);
    rig.start();
    rig.seconds(30);
    expect(rig.said("ac/set")).toEqual(['{"setpoint":26}']);
  });

  test("that fires while the broker is away is published when it is back, once", () => {
    const rig = new Rig().start();
    rig.broker.stop();
    rig.seconds(5);
    rig.bench.world.set("temperature", 31);
    // Long enough for the outbox to be full of telemetry.
    rig.seconds(300);
    rig.broker.start({ keep: false });
    rig.seconds(120);
    expect(new Set(rig.said("ac/set"))).toEqual(new Set(['{"setpoint":26}']));
    expect(rig.board.rules[0]?.fired).toBe(1);
  });
});

describe("losses", () => {
  test("of the module, of Wi-Fi and of the broker are all recovered from", () => {
    const rig = new Rig().start();
    for (const lose of [
      () => rig.bench.module.crash(),
      () => rig.bench.air.drop(20_000),
      () => rig.broker.kick("t1"),
      () => rig.network.vanishAll(),
      () => rig.network.killAll(),
    ]) {
      lose();
      rig.seconds(150);
      expect(rig.broker.clients.map(({ clientId }) => clientId)).toEqual(["t1"]);
      expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
    }
    expect(rig.broker.faults).toEqual([]);
  });

  test("a broker that accepts and hangs up at once is asked ever more seldom", () => {
    const rig = new Rig().start();
    const tries = (seconds: number): number => {
      const before = rig.board.client.stats.sessions;
      const end = rig.clock.now + seconds * 1000;
      while (rig.clock.now < end) {
        rig.seconds(0.1);
        if (rig.broker.clients.length > 0) rig.broker.kick("t1");
      }
      return rig.board.client.stats.sessions - before;
    };
    const first = tries(30);
    const later = tries(300);
    expect(first).toBeGreaterThan(3);
    expect(later).toBeLessThan(first * 4);
  });

  test("a session without settings says what is missing and goes on feeding its watchdog", () => {
    let resets = 0;
    const rig = new Rig({ machine: { onWatchdog: () => resets++ } });
    rig.bench.storage.provision(0, "device=t1\n");
    rig.start();
    rig.seconds(60);
    expect(rig.board.problem).toBe("setting wifi.ssid: give 1 to 32 bytes");
    expect(resets).toBe(0);
  });
});

describe("a broker that keeps something back", () => {
  test("SUBACK: the session is given up even while telemetry is acknowledged", () => {
    const rig = new Rig();
    rig.broker.mute("suback");
    rig.start();
    rig.seconds(60);
    expect(rig.board.client.stats.losses).toBeGreaterThan(0);
    rig.broker.mute("suback", false);
    rig.seconds(120);
    rig.order("relay/set", "ON");
    expect(rig.bench.world.pinLevel(2)).toBe(true);
  });

  test("one PUBACK: it is not forgotten behind those that come, and nothing is refused for it", () => {
    const rig = new Rig().start();
    rig.broker.mute("puback");
    rig.seconds(5);
    rig.broker.mute("puback", false);
    rig.seconds(180);
    expect(rig.board.client.stats).toMatchObject({ refused: 0, losses: 1 });
    const seqs = new Set(rig.said("telemetry").map((payload) => Number(/"seq":(\d+)/.exec(payload)?.[1])));
    expect(seqs.size).toBe(rig.board.telemetry.count);
  });
});

describe("an interval that is set again to what it is", () => {
  test("does not put telemetry off", () => {
    const rig = new Rig().start();
    const before = rig.said("telemetry").length;
    for (let i = 0; i < 20; i++) {
      rig.order("interval/set", "5");
      rig.seconds(3);
    }
    expect(rig.said("telemetry").length - before).toBeGreaterThanOrEqual(15);
  });
});

describe("settings that cannot work", () => {
  const good = "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\nmqtt.port=1883\n";

  test.each([
    ["device=a/b\n", "setting device: give 1 to 32 letters, digits, _ or -"],
    ["wifi.ssid=a\rb\n", "setting wifi.ssid: give 1 to 32 bytes"],
    ["wifi.baud=fast\n", "setting wifi.baud: give 1200 to 5000000"],
    ['mqtt.host=a",1,1\n', "setting mqtt.host: give a host name or an address, 1 to 64 characters"],
    ["mqtt.port=0\n", "setting mqtt.port: give 1 to 65535"],
    ["mqtt.user=a\u0000b\n", "setting mqtt.user: give at most 128 bytes"],
    [`mqtt.password=${"x".repeat(129)}\n`, "setting mqtt.password: give at most 128 bytes"],
  ])("%j is told, and nothing is sent to the module", (line, problem) => {
    const rig = new Rig();
    // The first line with a key counts.
    rig.bench.storage.provision(0, line + good);
    rig.start();
    rig.seconds(10);
    expect(rig.board.problem).toBe(problem);
    expect(rig.board.wifi.status.resets).toBe(0);
  });
});
