import type { Remark } from "./personality";

/** A parameter that is missing, of the wrong kind or out of range. The command ends with ERROR. */
export class ParameterError extends Error {
  /** `remark`: what the generations that talk to people say about it. */
  constructor(readonly remark?: Remark) {
    super(remark);
  }
}

/** One parameter as it stood between two commas. */
interface Parameter {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * The parameters of a command. They are split at every comma, also within quotes; a backslash takes its special
 * meaning from the character that follows. All positions count from 0; a parameter left empty counts as left out.
 */
export class Parameters {
  private readonly list: readonly (Parameter | undefined)[];

  /** `source` is what follows `=`, one character a byte; undefined for a command without. Throws if malformed. */
  constructor(source: string | undefined) {
    this.list = source === undefined ? [] : splitParameters(source);
  }

  get count(): number {
    return this.list.length;
  }

  /** Throws unless there are `least` to `most` parameters; with a remark if there are fewer. */
  expect(least: number, most: number, remark?: Remark): void {
    if (this.count < least || this.count > most) {
      throw new ParameterError(this.count < least ? remark : undefined);
    }
  }

  /** Whether the parameter stands there, and is not empty. */
  has(position: number): boolean {
    return this.list[position] !== undefined;
  }

  /** A quoted text of at most `longest` bytes, decoded as UTF-8. */
  text(position: number, longest: number): string {
    const parameter = this.list[position];
    if (parameter?.quoted !== true || parameter.text.length > longest) {
      throw new ParameterError();
    }
    return Buffer.from(parameter.text, "latin1").toString("utf8");
  }

  /** An integer from `least` to `most`, decimal or, after 0x, hexadecimal. `remark`: what is said of any other. */
  integer(position: number, least: number, most: number, remark?: Remark): number {
    const parameter = this.list[position];
    if (parameter === undefined || parameter.quoted || !/^(-?\d{1,10}|0x[0-9a-f]{1,8})$/i.test(parameter.text)) {
      throw new ParameterError(remark);
    }
    const value = Number(parameter.text);
    if (value < least || value > most) {
      throw new ParameterError(remark);
    }
    return value;
  }

  /** As {@link integer}, with a value for a parameter that was left out. */
  integerOr(position: number, least: number, most: number, otherwise: number): number {
    return this.has(position) ? this.integer(position, least, most) : otherwise;
  }
}

function splitParameters(source: string): (Parameter | undefined)[] {
  const list: (Parameter | undefined)[] = [];
  let start = 0;
  for (let at = 0; at < source.length; at += 1) {
    if (source[at] === "\\") {
      at += 1;
    } else if (source[at] === ",") {
      list.push(parseParameter(source.slice(start, at)));
      start = at + 1;
    }
  }
  list.push(parseParameter(source.slice(start)));
  return list;
}

function parseParameter(source: string): Parameter | undefined {
  if (source === "") {
    return undefined;
  }
  const quoted = source.startsWith('"');
  let text = "";
  let at = quoted ? 1 : 0;
  for (; at < source.length && !(quoted && source[at] === '"'); at += 1) {
    if (source[at] === "\\") {
      at += 1;
    }
    text += source[at] ?? "";
  }
  if (quoted && at !== source.length - 1) {
    throw new ParameterError();
  }
  return { text, quoted };
}
