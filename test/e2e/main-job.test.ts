import { describe, expect, test } from "vitest";
import { requireTool } from "../system";
import { Mosquitto, Subscriber } from "./mosquitto";
import { fieldsOf, Program, Sim } from "./processes";

/** One field of every telemetry message so far, oldest first. */
function telemetry(subscriber: Subscriber, field: string): number[] {
  return subscriber.payloads("moth/t1/telemetry").map((payload) => Number(fieldsOf(payload)[field]));
}

describe("a simulated board at a real Mosquitto", () => {
  test("publishes telemetry that is JSON with every field in its place", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/#");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await sim.until({ event: "acknowledged", name: "moth/t1/telemetry" });
    await subscriber.until("moth/t1/availability", "online");

    const [payload = ""] = subscriber.payloads("moth/t1/telemetry");
    expect(payload).toMatch(/^\{"seq":1,"temperature":-?\d+\.\d,"humidity":\d+\.\d,"relay":false,"uptime":\d+\}$/);
    const [temperature] = telemetry(subscriber, "temperature");
    expect(temperature).toBeGreaterThan(15);
    expect(temperature).toBeLessThan(30);
    const [humidity] = telemetry(subscriber, "humidity");
    expect(humidity).toBeGreaterThan(20);
    expect(humidity).toBeLessThan(80);
  });

  test("switches its relay on command and confirms it, retained", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/#");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await sim.until({ event: "subscribed" });
    broker.publish("moth/t1/relay/set", "ON");
    await sim.until({ event: "pin", pin: 2, high: true });
    await subscriber.until("moth/t1/relay", "ON");

    const later = await broker.subscribe("moth/t1/relay");
    expect(await later.until("moth/t1/relay", "ON")).toMatchObject({ retained: true });
    broker.publish("moth/t1/relay/set", "OFF");
    await sim.until({ event: "pin", pin: 2, high: false });
    await later.until("moth/t1/relay", "OFF");
  });

  test("changes its interval on command", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/#");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await sim.until({ event: "subscribed" });
    broker.publish("moth/t1/interval/set", "1");
    await subscriber.until("moth/t1/interval", "1");
    await subscriber.program.until("telemetry every second", () => {
      const [third, second, first] = telemetry(subscriber, "uptime").reverse();
      const close = first !== undefined && second !== undefined && third !== undefined && third - first <= 2;
      return close ? true : undefined;
    });
  });

  test("answers a bad command with a reason and changes nothing", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/#");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await sim.until({ event: "subscribed" });
    broker.publish("moth/t1/relay/set", "on");
    await subscriber.until("moth/t1/error", '{"command":"relay/set","reason":"send ON or OFF"}');
    for (const bad of ["0", "86401", "-5", "1.5", "five", "", "99999999999"]) {
      const from = subscriber.program.lines.length;
      broker.publish("moth/t1/interval/set", bad);
      const answer = '{"command":"interval/set","reason":"send a whole number of seconds from 1 to 86400"}';
      await subscriber.until("moth/t1/error", answer, undefined, from);
    }
    sim.program.kill("SIGINT");
    expect(await sim.until({ event: "summary" })).toMatchObject({ obeyed: 0, rejected: 8 });
    expect(subscriber.payloads("moth/t1/relay")).toEqual(["OFF"]);
    expect(subscriber.payloads("moth/t1/interval")).toEqual(["5"]);
  });

  test("ignores and counts a retained command, so that no old order switches anything", async () => {
    const broker = await Mosquitto.start();
    broker.publish("moth/t1/relay/set", "ON", "--retain");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await sim.until({ event: "message", name: "moth/t1/relay/set", retain: true });
    await sim.until({ event: "acknowledged", name: "moth/t1/telemetry" });
    sim.program.kill("SIGINT");
    expect(await sim.until({ event: "summary" })).toMatchObject({ obeyed: 0, retainedIgnored: 1 });
    expect(sim.events.filter(({ event }) => event === "pin")).toEqual([]);
  });

  test("fires its rule once when it is too warm", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/#");
    const sim = new Sim(["--broker", broker.url, "--device", "t1", "--set", "temperature=31"]);
    await subscriber.until("moth/t1/ac/set", '{"setpoint":26}');
    await sim.until({ event: "acknowledged", name: "moth/t1/ac/set" });
    // Two more samples of telemetry, with ten more looks at the rule between them.
    await sim.program.until("third telemetry", () => (telemetry(subscriber, "seq").length >= 3 ? true : undefined));
    expect(new Set(telemetry(subscriber, "temperature"))).toEqual(new Set([31]));
    expect(subscriber.payloads("moth/t1/ac/set")).toEqual(['{"setpoint":26}']);
  });

  test("is announced offline within 2 s when it is killed, retained", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/availability");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await subscriber.until("moth/t1/availability", "online");
    sim.program.kill("SIGKILL");
    await subscriber.until("moth/t1/availability", "offline", 2000);
    const later = await broker.subscribe("moth/t1/availability");
    expect(await later.until("moth/t1/availability", "offline")).toMatchObject({ retained: true });
  });

  test("leaves in good order at Ctrl-C: offline, DISCONNECT, exit 0", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/availability");
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await subscriber.until("moth/t1/availability", "online");
    sim.program.kill("SIGINT");
    await subscriber.until("moth/t1/availability", "offline");
    expect(await sim.program.ended).toBe(0);
    expect(broker.log.some((line) => line.includes("Received DISCONNECT from t1"))).toBe(true);
    expect(subscriber.payloads("moth/t1/availability")).toEqual(["online", "offline"]);
  });

  test("puts a stale offline right", async () => {
    const broker = await Mosquitto.start();
    const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
    await sim.until({ event: "subscribed" });
    const subscriber = await broker.subscribe("moth/t1/availability");
    await subscriber.until("moth/t1/availability", "online");
    const from = subscriber.program.lines.length;
    // What the broker does when it notices late that an earlier link of the board is dead.
    broker.publish("moth/t1/availability", "offline", "--retain");
    await subscriber.until("moth/t1/availability", "offline", undefined, from);
    await subscriber.until("moth/t1/availability", "online", undefined, from);
    const later = await broker.subscribe("moth/t1/availability");
    expect(await later.until("moth/t1/availability", "online")).toMatchObject({ retained: true });
  });

  test("is understood by the paho client as by mosquitto_sub", async () => {
    const broker = await Mosquitto.start();
    const stock = await broker.subscribe("moth/#");
    const python = requireTool("python3-paho-mqtt");
    const paho = new Subscriber(new Program(python, ["test/e2e/paho_subscriber.py", String(broker.port), "moth/#"]));
    await paho.program.until("the subscription", (line) => (line === "Subscribed" ? true : undefined));
    const sim = new Sim(["--broker", broker.url, "--device", "t1", "--set", "temperature=31"]);
    await sim.until({ event: "subscribed" });
    broker.publish("moth/t1/relay/set", "ON");
    await stock.until("moth/t1/relay", "ON");
    await sim.until({ event: "acknowledged", name: "moth/t1/ac/set" });
    sim.program.kill("SIGKILL");
    await stock.until("moth/t1/availability", "offline");
    await paho.until("moth/t1/availability", "offline");
    expect(paho.messages).toEqual(stock.messages);
    expect(paho.messages.length).toBeGreaterThan(5);
  });
});
