/** An MQTT packet as one line for people: `PUBLISH id 4, QoS 1, moth/t1/telemetry {"seq":3}`. Passwords stay out. */
import type { Packet } from "mqtt-packet";
import { printable } from "./report";

export function packetText(packet: Packet): string {
  const fields = fieldsOf(packet).filter((field) => field !== "");
  return `${packet.cmd.toUpperCase()} ${fields.join(", ")}`.trim();
}

function fieldsOf(packet: Packet): string[] {
  const id = packet.messageId === undefined ? "" : `id ${packet.messageId}`;
  switch (packet.cmd) {
    case "connect":
      return [
        packet.clientId,
        `keep alive ${packet.keepalive ?? 0} s`,
        packet.clean === true ? "clean session" : "kept session",
        packet.username === undefined ? "" : `user ${packet.username}`,
        packet.will === undefined ? "" : `will ${packet.will.topic} ${packet.will.payload.toString()}`,
      ].map(printable);
    case "connack":
      return [`return code ${packet.returnCode ?? 0}`, packet.sessionPresent ? "session present" : "new session"];
    case "publish": {
      const flags = [packet.retain ? "retained" : "", packet.dup ? "DUP" : ""];
      return [id, `QoS ${packet.qos}`, ...flags, printable(`${packet.topic} ${packet.payload.toString()}`)];
    }
    case "subscribe":
      return [id, ...packet.subscriptions.map(({ topic, qos }) => printable(`${topic} at QoS ${qos}`))];
    case "unsubscribe":
      return [id, ...packet.unsubscriptions.map(printable)];
    case "suback":
      return [id, `granted ${packet.granted.map(Number).join(" ")}`];
    default:
      return [id];
  }
}
