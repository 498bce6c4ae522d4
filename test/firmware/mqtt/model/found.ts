/** Lives in which something went wrong once, as fast-check cut them short. */
import { type Level, type Setting, type Step } from "./promises";

export interface Found {
  readonly what: string;
  readonly highest: Level;
  readonly setting: Setting;
  readonly steps: readonly Step[];
}

function hear(bytes: number): Step {
  return { do: "hear", bytes, piece: 1, limit: 1 };
}

function send(bytes: number, limit = 1): Step {
  return { do: "send", bytes, piece: 1, limit };
}

function publish(qos: 0 | 1, length: number): Step {
  return { do: "publish", qos, length };
}

function time(ms: number): Step {
  return { do: "time", ms };
}

const tell: Step = { do: "tell", qos: 0, length: 0 };
const tellTwice: Step = { do: "tell", qos: 2, length: 0 };
const small = { maxInFlight: 1, outboxSize: 120 } as const;
const plain = { level: 4, clock: 0, lastId: 0, coalesce: 1, sending: 1, habits: { window: 1, grant: 2, slow: false } } as const;

export const found: readonly Found[] = [
  {
    what: "room that is only there once what waits behind a run has moved",
    highest: 1,
    setting: { ...plain, maxInFlight: 2, outboxSize: 300 },
    steps: [
      publish(1, 30),
      send(1),
      tell,
      hear(1),
      hear(1),
      send(1),
      tell,
      hear(1),
      hear(1),
      hear(1),
      publish(1, 14),
      publish(1, 15),
      send(14),
      hear(4),
      publish(0, 19),
      send(59),
      send(12),
      send(16),
      publish(0, 35),
      publish(1, 46),
      hear(14),
      send(1, 40),
      publish(0, 0),
      publish(0, 0),
    ],
  },
  {
    what: "identifiers at QoS 2 of a session that is lost, which the client does not hear of",
    highest: 2,
    setting: { ...plain, ...small },
    steps: [
      send(16),
      hear(4),
      send(25),
      { do: "tell", qos: 1, length: 0 },
      hear(9),
      hear(9),
      tellTwice,
      send(4),
      hear(11),
      { do: "lose", forget: true },
      send(1, 40),
      time(4177),
      time(5823),
      send(1),
      send(16),
      hear(4),
      send(25),
      tellTwice,
    ],
  },
  {
    what: "in MQTT 5.0, a message at QoS 2 that is one too many only for identifiers of a session that was lost",
    highest: 2,
    setting: { ...plain, ...small, level: 5 },
    steps: [
      send(30),
      hear(5),
      send(26),
      tellTwice,
      hear(20),
      { do: "lose", forget: true },
      send(1, 40),
      time(10000),
      time(2000),
      hear(1),
      send(30),
      hear(1),
      hear(4),
      send(26),
      tellTwice,
    ],
  },
];
