/** Device code that asks whether something is there: 0, "" and NaN are true in Lua, false in JavaScript. */

export function isThere(value: number | string | boolean | undefined): boolean {
  return value !== undefined;
}

export function numberOr(value: number | undefined, other: number): number {
  return value ?? other;
}

export function textOr(value: string | undefined, other: string): string {
  return value ?? other;
}

export function flagOr(value: boolean | undefined, other: boolean): boolean {
  return value ?? other;
}

export function choose(condition: boolean, yes: number, no: number): number {
  return condition ? yes : no;
}

/** `a and b or c`, as Lua's short form of it would be, gives c for a b of false. */
export function chooseFlag(condition: boolean, yes: boolean, no: boolean): boolean {
  return condition ? yes : no;
}

export function chooseMaybe(condition: boolean, yes: number | undefined, no: number): number | undefined {
  return condition ? yes : no;
}

export interface Part {
  readonly flag?: boolean;
  readonly count?: number;
}

export function flagOf(part: Part | undefined): boolean {
  return part?.flag ?? true;
}

export function countOf(part: Part | undefined): number {
  return part?.count ?? 7;
}

export function not(value: boolean): boolean {
  return !value;
}

export function bothTrue(a: boolean, b: boolean): boolean {
  return a && b;
}

export function isNumberItself(value: number): boolean {
  return value === value;
}

/** What a field that is not there counts as. */
export function isSwitchedOn(part: Part): boolean {
  return part.flag === true;
}
