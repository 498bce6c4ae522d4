/** A life of a board that a test cuts short at any step, and what must hold when it has come to its end all the same. */
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { command, hear, publish, send, sleep, turn, type World } from "./world";

export const STEPS = 90;

function qosOf(step: number): 1 | 2 {
  return step % 2 === 0 ? 1 : 2;
}

function commandOf(step: number): string {
  return `${qosOf(step)}c${step}`;
}

/**
 * What happens, in steps: messages at QoS 1 and 2 while there is no session and while there is one, commands at both,
 * bytes that come and go a few at a time. Goes on at step `from` until all is done, the power is gone, or `most` steps
 * were taken. Gives the step that is next.
 */
export function play(world: World, from: number, most = Infinity): number {
  let step = from;
  for (let i = 0; step < STEPS && world.medium.powered && i < most; i++, step++) {
    const what = step % 9;
    if (what === 0) publish(world, 1, `1a${step}`);
    else if (what === 1) publish(world, 2, `2b${step}`);
    else if (what === 4 && step > 20) command(world, commandOf(step), qosOf(step));
    else if (what === 5) publish(world, 2, `2d${step}`);
    else if (step > 12) {
      turn(world);
      send(world, 23);
      hear(world, 17);
      sleep(world);
    }
  }
  return step;
}

/** What is wrong, as sentences. `missing`: how many commands may not have been obeyed. */
export function problemsOf(world: World, missing: number): string[] {
  const { broker, accepted, doubtful, obeyed } = world;
  const promised = new Set(accepted);
  const maybe = new Set(doubtful);
  const problems: string[] = [...broker.faults];
  for (const text of accepted) if (!broker.arrived.has(text)) problems.push(`${text} is lost`);
  for (const [text, times] of broker.arrived) {
    if (times > 1 && text.startsWith("2")) problems.push(`${text} came ${times} times`);
    if (!promised.has(text) && !maybe.has(text)) problems.push(`${text} was never accepted`);
  }
  const order = [...broker.arrived.keys()].filter((text) => promised.has(text));
  if (order.join() !== accepted.join()) problems.push(`${accepted.join()} came as ${order.join()}`);
  let missed = 0;
  for (let step = 22; step < STEPS; step++) {
    if (step % 9 !== 4) continue;
    const times = obeyed.get(commandOf(step)) ?? 0;
    if (times === 0) missed++;
    if (times > 1 && qosOf(step) === 2) problems.push(`${commandOf(step)} was obeyed ${times} times`);
  }
  if (missed > missing) problems.push(`${missed} commands were not obeyed`);
  if (broker.held() > 0) problems.push(`the broker still waits for ${broker.held()}`);
  if (outboxCount(world.run.client.outbox) > 0) problems.push("the board still waits");
  if (world.run.keeper.stats.held > 0) problems.push("something is kept that is over");
  return problems;
}
