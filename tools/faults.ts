/** Faults on the command line: `NAME[@TIME][:ARG]`, and what `moth faults` says of each. */
import { faultNames, FAULTS, faultsOf, type FaultArgument, type FaultName, isFaultName } from "../sim/faults";
import type { FaultStage } from "../sim/module/simulated-module";
import { Failure } from "./failure";
import { nearest } from "./nearest";

/** A fault that was asked for. */
export interface FaultRequest {
  readonly name: FaultName;
  readonly argument: number | undefined;
  /** In ms of simulated time; a chance from 0 to 1 at each occasion, from the start; or once it makes sense. */
  readonly when: { readonly at: number } | { readonly chance: number } | "soon";
}

const SYNTAX = "write NAME, NAME@TIME or NAME@TIME:ARG, as in prompt.lost, wifi.drop@90s:20s or prompt.lost@5%";

/** Milliseconds of `90`, `90s`, `5m`, `1.5h` or `500ms`; undefined for anything else. A number alone is seconds. */
export function milliseconds(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const factor = unit === "ms" ? 1 : unit === "m" ? 60_000 : unit === "h" ? 3_600_000 : 1000;
  return Number(number) * factor;
}

/** What `--fault` takes, for a module of `personality`. */
export function faultRequest(text: string, personality: string): FaultRequest {
  const complain = (problem: string): Failure => new Failure(`--fault ${text}: ${problem}`);
  const [, name = "", time, argument] = /^([^@:]+)(?:@([^@:]+))?(?::([^@:]+))?$/.exec(text) ?? [];
  if (name === "") throw complain(SYNTAX);
  if (!isFaultName(name)) {
    const meant = nearest(name, faultNames);
    throw complain(`there is no fault ${name}${meant === undefined ? "" : `: did you mean ${meant}?`} ("moth faults" lists them)`);
  }
  if (!faultsOf(personality).includes(name)) throw complain(`makes no sense for a module of ${personality}`);
  return {
    name,
    argument: argument === undefined ? undefined : argumentOf(name, argument, complain),
    when: time === undefined ? "soon" : whenOf(time, complain),
  };
}

function whenOf(text: string, complain: (problem: string) => Failure): FaultRequest["when"] {
  if (text.endsWith("%")) {
    const percent = Number(text.slice(0, -1));
    if (!(percent > 0 && percent <= 100)) throw complain(`${text}: give a chance above 0 % and up to 100 %`);
    return { chance: percent / 100 };
  }
  const at = milliseconds(text);
  if (at === undefined) throw complain(`${text} is no time: write 90, 90s, 5m, or a chance like 5%`);
  return { at };
}

function argumentOf(name: FaultName, text: string, complain: (problem: string) => Failure): number {
  const { argument } = FAULTS[name];
  if (argument === undefined) throw complain(`${name} takes no argument`);
  const value = argument.unit === "ms" ? milliseconds(text) : /^\d+$/.test(text) ? Number(text) : undefined;
  if (value === undefined || value < argument.least || value > argument.most) {
    throw complain(`give its ${argument.name} from ${amount(argument, argument.least)} to ${amount(argument, argument.most)}`);
  }
  return value;
}

/** Has a fault that was asked for strike now, or from now on by chance. */
export function applyFault(faults: FaultStage, { name, argument, when }: FaultRequest): void {
  if (when !== "soon" && "chance" in when) faults.chance(name, when.chance, argument);
  else faults.strike(name, argument);
}

/** Whether a fault is for what comes before a board is online: for one that is, it would wait for the next loss. */
export function isOfStart(name: FaultName): boolean {
  return ["the next boot", "the next join", "the next look-up", "the next connect", "the next TLS connect"]
    .includes(FAULTS[name].occasion);
}

/** What is told of a fault that strikes: `prompt.late (delay 4 s): OK, and > seconds later`. */
export function strikeText(name: string, value: number | undefined): string {
  if (!isFaultName(name)) return name;
  const { argument, seen } = FAULTS[name];
  const shown = argument === undefined || value === undefined ? "" : ` (${argument.name} ${amount(argument, value)})`;
  return `${name}${shown}: ${seen}`;
}

/** A value of an argument with its unit: `4 s`, `3 bytes`. */
export function amount({ unit }: FaultArgument, value: number): string {
  if (unit === "ms") return value >= 1000 ? `${value / 1000} s` : `${value} ms`;
  return unit === "" ? String(value) : `${value} ${unit}`;
}
