import { connect, connectAsync } from "mqtt";
import { type Contender, PAYLOAD } from "./contender";

/** MQTT.js, as it comes. */
export const mqttJs: Contender = {
  async publisher(port, topic) {
    const client = await connectAsync(urlOf(port));
    const options = ([0, 1, 2] as const).map((qos) => ({ qos }));
    return (qos, done) => client.publish(topic, PAYLOAD, options[qos], done);
  },
  async prepare({ port, name, topic, qos }) {
    const client = await connectAsync(urlOf(port), { clientId: name, clean: false });
    await client.subscribeAsync(topic, { qos });
    await client.endAsync();
  },
  receive({ port, name }, take) {
    const client = connect(urlOf(port), { clientId: name, clean: false });
    client.on("message", take);
    return new Promise((resolve) => client.once("connect", () => resolve(() => client.endAsync())));
  },
};

function urlOf(port: number): string {
  return `mqtt://127.0.0.1:${port}`;
}
