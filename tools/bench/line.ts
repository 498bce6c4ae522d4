/** How much MQTT gets over the serial line to the module: each packet in a send of its own, against all that wait in one. */
import { createBench } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { ScriptedBroker } from "../../sim/network/broker";
import { MemoryNetwork } from "../../sim/network/memory";
import type { Qos } from "../../firmware/mqtt/packet";
import type { Report } from "./bench";
import { floodBoard } from "./flood";

const BAUD = 115_200;
/** 10 bits a byte. */
const LIMIT = BAUD / 10;
const WARM_UP_MS = 10_000;
const MEASURED_MS = 60_000;
/** 29 bytes of topic and 62 of payload: a telemetry message of the sensor board. */
const TOPIC = "moth/greenhouse-one/telemetry";
const PAYLOAD = '{"seq":314,"temperature":21.5,"humidity":48.2,"relay":false,"u';

interface Figures {
  readonly qos: Qos;
  readonly packetsPerSend: "one" | "all that fit";
  readonly bytesPerSecond: number;
  readonly messagesPerSecond: number;
  /** Share of the line's limit. */
  readonly share: number;
}

function run(qos: Qos, coalesce: number): Figures {
  const clock = new SimClock();
  const network = new MemoryNetwork(clock);
  let messages = 0;
  let bytes = 0;
  const broker = new ScriptedBroker(clock, {
    onPacket: (direction, { packet }) => {
      if (direction !== "in" || packet.cmd !== "publish" || clock.now < WARM_UP_MS) return;
      messages++;
      bytes += 2 + (packet.length ?? 0);
    },
  });
  broker.listen(network, "broker", 1883);
  const application = floodBoard({ topic: TOPIC, payload: PAYLOAD, qos, coalesce });
  const bench = createBench({ clock, network, application, device: "b", host: "broker", port: 1883, seed: 1, baud: BAUD });
  bench.machine.powerOn();
  clock.runUntil(WARM_UP_MS + MEASURED_MS);
  const seconds = MEASURED_MS / 1000;
  return {
    qos,
    packetsPerSend: coalesce === 1 ? "one" : "all that fit",
    bytesPerSecond: Math.round(bytes / seconds),
    messagesPerSecond: Math.round((10 * messages) / seconds) / 10,
    share: Math.round((1000 * bytes) / seconds / LIMIT) / 1000,
  };
}

export function measure(): Report {
  const rows = [run(0, 1), run(0, 64), run(1, 1), run(1, 64)];
  const ratio = (qos: Qos): number => {
    const [one, all] = rows.filter((row) => row.qos === qos);
    return one === undefined || all === undefined ? 0 : all.bytesPerSecond / one.bytesPerSecond;
  };
  const lines = [
    `MQTT over the line at ${BAUD} baud, limit ${LIMIT.toLocaleString("en")} bytes/s, ` +
      `packets of ${2 + 2 + TOPIC.length + PAYLOAD.length} bytes (QoS 1: 2 more)`,
    "  QoS  packets a send   bytes/s   of the limit   messages/s",
    ...rows.map(({ qos, packetsPerSend, bytesPerSecond, share, messagesPerSecond }) =>
      [
        `  ${qos}  `,
        packetsPerSend.padEnd(14),
        bytesPerSecond.toLocaleString("en").padStart(9),
        `${(share * 100).toFixed(1)} %`.padStart(14),
        messagesPerSecond.toFixed(1).padStart(12),
      ].join(" "),
    ),
    `  coalesced against one packet a send: ${ratio(0).toFixed(2)} times at QoS 0, ${ratio(1).toFixed(2)} at QoS 1`,
  ];
  return { figures: { baud: BAUD, limit: LIMIT, rows, ratio: { qos0: ratio(0), qos1: ratio(1) } }, lines };
}
