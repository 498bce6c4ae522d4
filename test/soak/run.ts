/** `npm run soak`: days of a board at a site a hundred times worse than a bad one. */
import { parseArgs } from "node:util";
import { DEFAULT_PERSONALITY } from "../../sim/module/personalities";
import { isModuleName, MODULE_NAMES } from "../../sim/modules";
import { BACK_WITHIN, BAD_SITE_A_DAY } from "./site";
import { type Failure, type Figures, soak } from "./soak";

const HELP = `Lives through simulated days of a board at a site a hundred times worse than a bad one, and holds the board to it that
it comes back, loses no reading, and obeys each order at QoS 2 once.

  npm run soak -- [options]

  --days N         simulated days, in steps of two hours (default: 1; 1 takes about a second, four at an ISM43362)
  --seed S         the same seed gives the same days (default: another one each time)
  --personality P  ${MODULE_NAMES.join(", ")} (default: ${DEFAULT_PERSONALITY})
  --json           the figures for machines
  --help           says this

A bad site has ${BAD_SITE_A_DAY} faults a day, so that here there is one every ${86_400 / 100 / BAD_SITE_A_DAY} s, drawn from the whole catalogue (moth faults), but
for those that nobody could make good or that have nothing to strike at. After each 110 minutes there are 10 without faults,
in which the board must be back within ${BACK_WITHIN / 1000} s. It ends with 1 when the board is stuck, when a message is missing, when
an order at QoS 2 is obeyed twice or never, or when anything throws; it then prints what happened last.`;

function dayLine({ days, faults, longestReturn, made, arrived, onceGiven, onceObeyed }: Figures): string {
  return (
    `day ${days.toFixed(1)}: ${sum(faults)} faults, ${arrived} of ${made} readings arrived, ` +
    `${onceObeyed} of ${onceGiven} orders obeyed once, back after ${longestReturn / 1000} s at most`
  );
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** `name 3, other 2`, the most frequent first; those of none are left out. */
function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

function show(figures: Figures): void {
  const { days, faults, calms, longestReturn, made, arrived, copies, givenUp, unreadable, wifi, client } = figures;
  const { onceGiven, onceObeyed, againGiven, againObeyed } = figures;
  console.log(`${days.toFixed(1)} days, ${sum(faults)} faults: ${list(faults)}`);
  console.log(`${calms} times without faults; back after ${longestReturn / 1000} s at most`);
  console.log(`${made} readings: ${arrived} arrived, ${copies} of them again, ${givenUp} given up for newer ones`);
  console.log(`${unreadable} times a module sent the broker something else than MQTT, and the broker hung up`);
  console.log(`${onceGiven} orders at QoS 2, obeyed ${onceObeyed} times; ${againGiven} at QoS 1, obeyed ${againObeyed} times`);
  console.log(`client: ${list(client)}`);
  console.log(`module: ${list(wifi)}`);
}

function complain({ problem, at, trace }: Failure, replay: string): void {
  for (const line of trace) console.error(line);
  console.error(`At ${(at / 1000).toFixed(0)} s the board ${problem}`);
  console.error(`Again: ${replay}`);
}

const { values } = parseArgs({
  options: {
    days: { type: "string" },
    seed: { type: "string" },
    personality: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}
const days = Number(values.days ?? 1);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const personality = values.personality ?? DEFAULT_PERSONALITY;
if (!(days > 0 && days <= 3650)) throw new Error("--days takes how many days to live through, up to 3650");
if (!Number.isInteger(seed) || seed < 0) throw new Error("--seed takes a number from 0 on");
if (!isModuleName(personality)) throw new Error(`--personality takes one of ${MODULE_NAMES.join(", ")}`);

const told = process.stdout.isTTY && values.json !== true;
const began = Date.now();
const { figures, failure } = soak({
  days,
  seed,
  personality,
  dayOver: (sofar) => {
    if (told) console.log(dayLine(sofar));
  },
});
const seconds = (Date.now() - began) / 1000;
if (values.json === true) console.log(JSON.stringify({ seed, personality, seconds, ...figures, failure }, undefined, 2));
else show(figures);
if (failure !== undefined) {
  complain(failure, `npm run soak -- --days ${days} --seed ${seed} --personality ${personality}`);
  process.exit(1);
}
if (values.json !== true) console.log(`seed ${seed}, ${personality}: all well, in ${seconds.toFixed(1)} s`);
