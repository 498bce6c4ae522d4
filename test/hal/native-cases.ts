/**
 * What the block operations must do, to the byte, wherever they run. Each case is a list of steps on two buffers of
 * 16 bytes, `a` and `b`: an operation, its arguments, and what it must give.
 */
import type { Native } from "../../hal/hal";

/** What a case gives when the place must stop the program: its range passes the end of the buffer. */
export const outside = "outside the buffer";

/** An argument: one of the two buffers, a number or a text. */
export type Argument = "@a" | "@b" | number | { readonly text: string };

export type Expected = number | boolean | string | undefined;

export interface NativeCase {
  readonly what: string;
  /** What the buffer `a` holds from its start; the rest is 0. */
  readonly holds?: readonly number[];
  readonly call: keyof Native;
  readonly with: readonly Argument[];
  readonly gives: Expected;
  /** What `a` must begin with afterwards. */
  readonly leaves?: readonly number[];
}

export const bufferSize = 16;

const ascii = (text: string): number[] => [...Buffer.from(text)];
const text = (value: string): Argument => ({ text: value });

const extremes = [0, 7, 10, 99, 100, -1, -10, 2147483647, -2147483647, -2147483648];

const numbers: readonly NativeCase[] = extremes.map((value) => ({
  what: `writes ${value}`,
  call: "putDecimal",
  with: ["@a", 2, value],
  gives: String(value).length,
  leaves: [0, 0, ...ascii(String(value)), 0],
}));

const decimals: readonly NativeCase[] = (
  [
    ["0", 0],
    ["000", 0],
    ["42", 42],
    ["0000000042", 42],
    ["2147483647", 2147483647],
    ["2147483648", -1],
    ["9999999999", -1],
    ["12345678901", -1],
    ["", -1],
    ["-1", -1],
    ["+1", -1],
    ["1.0", -1],
    [" 1", -1],
    ["1x", -1],
    ["/", -1],
    [":", -1],
  ] as const
).map(([digits, value]) => ({
  what: `reads "${digits}" as ${value}`,
  holds: ascii(digits),
  call: "decimalAt",
  with: ["@a", 0, digits.length],
  gives: value,
}));

const utf8: readonly NativeCase[] = (
  [
    [[], true, "nothing"],
    [ascii("moth"), true, "ASCII"],
    [ascii("é€😀"), true, "two, three and four bytes"],
    [[0xef, 0xbb, 0xbf], true, "a byte order mark"],
    [[0xef, 0xbf, 0xbf], true, "U+FFFF"],
    [[0x7f], true, "U+007F"],
    [[0xc2, 0x80], true, "the first of two bytes"],
    [[0xe0, 0xa0, 0x80], true, "the first of three bytes"],
    [[0xed, 0x9f, 0xbf], true, "the last before the surrogates"],
    [[0xee, 0x80, 0x80], true, "the first after the surrogates"],
    [[0xf0, 0x90, 0x80, 0x80], true, "the first of four bytes"],
    [[0xf4, 0x8f, 0xbf, 0xbf], true, "U+10FFFF"],
    [[0x61, 0x00], false, "U+0000"],
    [[0xc0, 0x80], false, "U+0000 in two bytes"],
    [[0xc1, 0xbf], false, "an overlong form of two bytes"],
    [[0xe0, 0x9f, 0xbf], false, "an overlong form of three bytes"],
    [[0xf0, 0x8f, 0xbf, 0xbf], false, "an overlong form of four bytes"],
    [[0xed, 0xa0, 0x80], false, "the first surrogate"],
    [[0xed, 0xbf, 0xbf], false, "the last surrogate"],
    [[0xf4, 0x90, 0x80, 0x80], false, "beyond U+10FFFF"],
    [[0xf5, 0x80, 0x80, 0x80], false, "a lead byte that is none"],
    [[0xff], false, "the byte FF"],
    [[0x80], false, "a continuation without a lead"],
    [[0xc3], false, "a lead without its continuation"],
    [[0xe2, 0x82], false, "a cut character"],
    [[0xe2, 0x82, 0x41], false, "a letter where a continuation should be"],
    [[0xc3, 0xc3], false, "a lead where a continuation should be"],
  ] as const
).map(([bytes, valid, name]) => ({
  what: `${valid ? "takes" : "refuses"} ${name} as UTF-8`,
  holds: bytes,
  call: "isUtf8",
  with: ["@a", 0, bytes.length],
  gives: valid,
}));

const divisions: readonly NativeCase[] = (
  [
    [7, 2, 3],
    [-7, 2, -4],
    [7, -2, -4],
    [-7, -2, 3],
    [0, 5, 0],
    [6, 3, 2],
    [2147483647, 2, 1073741823],
    [-2147483648, 3, -715827883],
    [2147483647, 2147483647, 1],
  ] as const
).map(([a, b, quotient]) => ({ what: `divides ${a} by ${b}`, call: "div", with: [a, b], gives: quotient }));

const remainders: readonly NativeCase[] = (
  [
    [7, 3, 1],
    [-7, 3, 2],
    [-1, 5, 4],
    [6, 3, 0],
    [0, 9, 0],
    [2147483647, 60001, 47857],
    [-2147483648, 7, 5],
  ] as const
).map(([a, b, rest]) => ({ what: `leaves of ${a} by ${b}`, call: "mod", with: [a, b], gives: rest }));

const roundings: readonly NativeCase[] = (
  [
    [21.5, 22],
    [21.4, 21],
    [-21.5, -22],
    [-21.4, -21],
    [0, 0],
    [-0.4, 0],
    [3, 3],
  ] as const
).map(([value, nearest]) => ({ what: `rounds ${value}`, call: "round", with: [value], gives: nearest }));

const texts: readonly NativeCase[] = (
  [
    ["isText", 5, "ready", true],
    ["isText", 5, "read", false],
    ["isText", 4, "ready", false],
    ["isText", 5, "reads", false],
    ["startsWith", 5, "rea", true],
    ["startsWith", 5, "ready", true],
    ["startsWith", 5, "reb", false],
    ["startsWith", 2, "ready", false],
  ] as const
).map(([call, count, wanted, answer]) => ({
  what: `says ${answer} when asked ${call} "${wanted}" of the first ${count} bytes of "ready"`,
  holds: ascii("ready"),
  call,
  with: ["@a", 0, count, text(wanted)],
  gives: answer,
}));

const without: readonly NativeCase[] = (
  [
    ["moth/é", true],
    ["", true],
    ["a+", false],
    ["#a", false],
    ["a\u0000", false],
  ] as const
).map(([name, answer]) => ({
  what: `says ${answer} when asked for text without + or # of "${name}"`,
  holds: ascii(name),
  call: "isUtf8Without",
  with: ["@a", 0, Buffer.byteLength(name), 0x2b, 0x23],
  gives: answer,
}));

/** The filters `a/+` and `#`, the end of the list, and a topic of three bytes. */
const filtersAnd = (topic: string): number[] => [0, 3, ...ascii("a/+"), 0, 1, ...ascii("#"), 0, 0, ...ascii(topic)];

const filters: readonly NativeCase[] = (
  [
    ["a/b", 0, 0],
    ["a/b", 1, 1],
    ["a/b", 2, -1],
    ["b/b", 0, 1],
    ["$/b", 0, -1],
  ] as const
).map(([topic, from, place]) => ({
  what: `finds filter ${place} of a/+ and # for ${topic} from ${from} on`,
  holds: filtersAnd(topic),
  call: "matchFilter",
  with: ["@a", from, "@a", 10, 3],
  gives: place,
}));

export const nativeCases: readonly NativeCase[] = [
  ...numbers,
  { what: "refuses a number past the end", call: "putDecimal", with: ["@a", 14, 100], gives: outside },
  { what: "writes a number that just fits", call: "putDecimal", with: ["@a", 13, 100], gives: 3 },
  ...decimals,
  { what: "refuses to read digits past the end", call: "decimalAt", with: ["@a", 12, 5], gives: outside },
  ...utf8,
  ...without,
  ...filters,
  { what: "refuses UTF-8 past the end", call: "isUtf8", with: ["@a", 10, 7], gives: outside },
  ...divisions,
  ...remainders,
  ...roundings,
  { what: "reads a byte", holds: [1, 255], call: "byteAt", with: ["@a", 1], gives: 255 },
  { what: "refuses a byte past the end", call: "byteAt", with: ["@a", 16], gives: outside },
  { what: "refuses a byte before the start", call: "byteAt", with: ["@a", -1], gives: outside },
  { what: "reads two bytes", holds: [0, 0xab, 0xcd], call: "u16At", with: ["@a", 1], gives: 0xabcd },
  { what: "refuses two bytes past the end", call: "u16At", with: ["@a", 15], gives: outside },
  { what: "finds a number of two bytes", holds: [9, 1, 2, 3, 4, 1, 2], call: "findU16", with: ["@a", 1, 3, 0x0304], gives: 1 },
  { what: "finds the first of equal numbers", holds: [1, 2, 1, 2], call: "findU16", with: ["@a", 0, 2, 0x0102], gives: 0 },
  { what: "does not take the halves of two numbers for one", holds: [1, 2, 3, 4], call: "findU16", with: ["@a", 0, 2, 0x0203], gives: -1 },
  { what: "does not find a number behind the list", holds: [1, 2, 3, 4], call: "findU16", with: ["@a", 0, 1, 0x0304], gives: -1 },
  { what: "finds nothing in a list of nothing", holds: [1, 2], call: "findU16", with: ["@a", 0, 0, 0x0102], gives: -1 },
  { what: "refuses a list past the end", call: "findU16", with: ["@a", 0, 9, 1], gives: outside },
  { what: "refuses a list of less than nothing", call: "findU16", with: ["@a", 0, -1, 1], gives: outside },
  { what: "writes two bytes", call: "putU16", with: ["@a", 1, 0xabcd], gives: undefined, leaves: [0, 0xab, 0xcd, 0] },
  { what: "refuses to write two bytes past the end", call: "putU16", with: ["@a", 15, 1], gives: outside },
  {
    what: "copies upwards over itself",
    holds: [1, 2, 3, 4],
    call: "copy",
    with: ["@a", 0, "@a", 1, 4],
    gives: undefined,
    leaves: [1, 1, 2, 3, 4, 0],
  },
  {
    what: "copies downwards over itself",
    holds: [1, 2, 3, 4],
    call: "copy",
    with: ["@a", 1, "@a", 0, 3],
    gives: undefined,
    leaves: [2, 3, 4, 4],
  },
  { what: "copies nothing at the very end", call: "copy", with: ["@a", 16, "@b", 16, 0], gives: undefined },
  { what: "refuses to copy from past the end", call: "copy", with: ["@a", 10, "@b", 0, 7], gives: outside },
  { what: "refuses to copy to past the end", call: "copy", with: ["@a", 0, "@b", 10, 7], gives: outside },
  { what: "refuses to copy less than nothing", call: "copy", with: ["@a", 4, "@b", 4, -1], gives: outside },
  { what: "finds the first", holds: [9, 5, 9, 9], call: "find", with: ["@a", 1, 4, 9], gives: 2 },
  { what: "finds nothing beyond the range", holds: [9, 5, 9], call: "find", with: ["@a", 1, 1, 9], gives: -1 },
  { what: "refuses to look past the end", call: "find", with: ["@a", 0, 17, 9], gives: outside },
  { what: "finds two ranges the same", holds: [7, 7, 7, 7], call: "same", with: ["@a", 0, "@a", 2, 2], gives: true },
  { what: "finds two ranges different", holds: [7, 7, 7], call: "same", with: ["@a", 1, "@a", 2, 2], gives: false },
  { what: "finds two empty ranges the same", holds: [1, 2], call: "same", with: ["@a", 0, "@b", 1, 0], gives: true },
  { what: "refuses to compare past the end", call: "same", with: ["@a", 0, "@b", 15, 2], gives: outside },
  {
    what: "writes text as UTF-8",
    call: "putText",
    with: ["@a", 1, text("aé€")],
    gives: 6,
    leaves: [0, ...ascii("aé€"), 0],
  },
  { what: "writes text that just fits", call: "putText", with: ["@a", 14, text("é")], gives: 2 },
  { what: "refuses text past the end", call: "putText", with: ["@a", 15, text("é")], gives: outside },
  { what: "writes empty text", call: "putText", with: ["@a", 16, text("")], gives: 0 },
  { what: "measures text in bytes", call: "textLength", with: [text("aé€😀")], gives: 10 },
  ...texts,
  { what: "knows an empty text", call: "isText", with: ["@a", 3, 0, text("")], gives: true },
  { what: "refuses a text past the end", call: "isText", with: ["@a", 12, 5, text("x")], gives: outside },
  { what: "takes nothing as a beginning", call: "startsWith", with: ["@a", 0, 3, text("")], gives: true },
  { what: "refuses a beginning past the end", call: "startsWith", with: ["@a", 15, 5, text("abc")], gives: outside },
  { what: "makes a string", holds: ascii("xaé€"), call: "textAt", with: ["@a", 1, 6], gives: "aé€" },
  { what: "makes an empty string", call: "textAt", with: ["@a", 16, 0], gives: "" },
  { what: "refuses a string past the end", call: "textAt", with: ["@a", 16, 1], gives: outside },
];
