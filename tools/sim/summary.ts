/** What `moth sim` says at its end: what was published, acknowledged, received, refused and retried, and how full each ring was. */
import type { Board } from "../../firmware/board/application";
import { outboxCount } from "../../firmware/mqtt/outbox";
import { QueueNumber } from "../../hal/hal";
import { queueNumber } from "../../hal/node/native";

export interface RingUse {
  readonly name: string;
  readonly unit: string;
  /** The most that was in it at any time, and its size. */
  readonly highWater: number;
  readonly size: number;
  /** What found no room: reservations of a ring, bytes of a serial line. */
  readonly refused: number;
}

/** How the receive ring at one end of the serial line did: bytes at most, its size, and what it lost. */
export interface LineEndUse {
  readonly highWater: number;
  readonly ringSize: number;
  readonly lost: number;
}

/** The board's end, and the module's if anybody can look into the module. */
export interface LineUse {
  readonly host: LineEndUse;
  readonly module?: LineEndUse;
}

export interface Summary {
  /** Seconds on the board's clock, and how often the board was switched on. */
  readonly seconds: number;
  readonly boots: number;
  readonly published: number;
  readonly acknowledged: number;
  readonly retried: number;
  readonly refused: number;
  /** Messages that the board still held when it was switched off. */
  readonly unsent: number;
  readonly received: number;
  readonly obeyed: number;
  readonly rejected: number;
  readonly retainedIgnored: number;
  readonly oversize: number;
  /** Filters that the broker refused. */
  readonly subscriptionsRefused: number;
  readonly sessions: number;
  readonly linkLosses: number;
  readonly wifiLosses: number;
  readonly moduleResets: number;
  readonly rings: readonly RingUse[];
}

/** `boards`: one for each time that power came on. Their counters are added up, their high-water marks compared. */
export function summarise(seconds: number, boards: readonly Board[], line: LineUse): Summary {
  const sum = (count: (board: Board) => number): number => boards.reduce((total, board) => total + count(board), 0);
  const most = (mark: (board: Board) => number): number => boards.reduce((high, board) => Math.max(high, mark(board)), 0);
  return {
    seconds,
    boots: boards.length,
    published: sum(({ client }) => client.stats.published),
    acknowledged: sum(({ client }) => client.stats.acknowledged),
    retried: sum(({ client }) => client.stats.retried),
    refused: sum(({ client }) => client.stats.refused + client.stats.offline + client.stats.tooLong + client.outbox.dropped),
    unsent: sum(({ client }) => outboxCount(client.outbox)),
    received: sum(({ client }) => client.stats.received),
    obeyed: sum(({ commands }) => commands.obeyed),
    rejected: sum(({ commands }) => commands.rejected),
    retainedIgnored: sum(({ commands }) => commands.retained),
    oversize: sum(({ client }) => client.stats.oversize),
    subscriptionsRefused: sum(({ client }) => client.stats.subscriptionsRefused),
    sessions: sum(({ client }) => client.stats.sessions),
    linkLosses: sum(({ client }) => client.stats.losses),
    wifiLosses: sum(({ wifi }) => wifi.status.wifiLosses),
    moduleResets: sum(({ wifi }) => wifi.status.resets + wifi.status.reboots),
    rings: [
      {
        name: "outbox",
        unit: "bytes",
        highWater: most(({ client }) => queueNumber(client.outbox.queue, QueueNumber.HighBytes)),
        size: most(({ client }) => queueNumber(client.outbox.queue, QueueNumber.Size)),
        refused: sum(({ client }) => queueNumber(client.outbox.queue, QueueNumber.Refused)),
      },
      {
        name: "",
        unit: "messages",
        highWater: most(({ client }) => queueNumber(client.outbox.queue, QueueNumber.HighCount)),
        size: most(({ client }) => queueNumber(client.outbox.queue, QueueNumber.Slots)),
        refused: sum(({ client }) => queueNumber(client.outbox.queue, QueueNumber.RefusedSlots)),
      },
      {
        name: "control",
        unit: "bytes",
        highWater: most(({ client }) => queueNumber(client.control, QueueNumber.HighBytes)),
        size: most(({ client }) => client.controlSize),
        refused: sum(({ client }) => queueNumber(client.control, QueueNumber.Refused)),
      },
      lineRing("serial in", line.host),
      ...(line.module === undefined ? [] : [lineRing("module in", line.module)]),
    ],
  };
}

function lineRing(name: string, { highWater, ringSize, lost }: LineEndUse): RingUse {
  return { name, unit: "bytes", highWater, size: ringSize, refused: lost };
}

export function inWords(summary: Summary): string {
  const s = summary;
  const rings = s.rings.map(({ name, unit, highWater, size, refused }) => {
    const full = `${highWater} of ${size} ${unit} at most`;
    return `  ${name.padEnd(12)}${full}, ${refused} refused`;
  });
  return [
    `after ${s.seconds.toFixed(1)} s`,
    `  published   ${s.published}, acknowledged ${s.acknowledged}, retried ${s.retried}, refused ${s.refused}, ` +
      `left over ${s.unsent}`,
    `  received    ${s.received}, commands obeyed ${s.obeyed}, rejected ${s.rejected}, ` +
      `retained and ignored ${s.retainedIgnored}, too large ${s.oversize}`,
    `  sessions    ${s.sessions}, subscriptions refused ${s.subscriptionsRefused}, links lost ${s.linkLosses}, Wi-Fi lost ${s.wifiLosses}, ` +
      `module resets ${s.moduleResets}, boots ${s.boots}`,
    ...rings,
  ].join("\n");
}
