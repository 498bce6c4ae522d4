/**
 * The catalogue of what goes wrong with Wi-Fi modules in the field: what is seen on the wire, what a good host does,
 * and how each fault is asked for and drawn. `module/faults/` has them act.
 */
import type { SimClock } from "./clock";
import type { Random } from "./random";

/** When a fault that was asked for acts. */
export type Occasion =
  /** At once. With a chance: once a minute. */
  | "now"
  | "the next boot"
  | "the next command"
  | "the next result"
  | "the next echo"
  | "the next prompt"
  | "the next payload"
  | "the next send"
  | "the next connect"
  | "the next TLS connect"
  | "the next look-up"
  | "the next join"
  | "the next closing"
  | "the next data"
  | "the next notice"
  | "the next read"
  /** What goes to the host. With a chance: each byte. */
  | "the next byte"
  | "the next header"
  /** What comes from the host. */
  | "the next chunk";

/** What `:ARG` means to a fault, and the number that it is. */
export interface FaultArgument {
  readonly name: string;
  readonly unit: "ms" | "bytes" | "baud" | "%" | "";
  /** The range, both ends included. */
  readonly least: number;
  readonly most: number;
  /** Without `:ARG`. */
  readonly usual: number;
}

export interface FaultKind {
  /** What the host sees. */
  readonly seen: string;
  /** What a good host does. */
  readonly host: string;
  readonly occasion: Occasion;
  readonly argument?: FaultArgument;
  /** What ends it, for a fault that is not over at once. */
  readonly until?: string;
  /** Personalities in which it makes no sense. */
  readonly notIn?: readonly string[];
  /** The argument of one that chance has strike. Default: anything in the range, to the whole number. */
  draw?(random: Random): number;
}

const NONOS = ["nonos-1.7"];

function ms(name: string, usual: number, least: number, most: number): FaultArgument {
  return { name, unit: "ms", least, most, usual };
}

function bytes(name: string, usual: number, most: number): FaultArgument {
  return { name, unit: "bytes", least: 1, most, usual };
}

function within(least: number, most: number) {
  return (random: Random): number => Math.round(random.between(least, most));
}

/** Every fault there is, by name. A new one is a new entry, and a place in `module/faults/` where it acts. */
const CATALOGUE = {
  "prompt.lost": {
    seen: "OK and no >",
    host: "give the prompt 5 s, then resynchronise; never send payload without >, and count it as not sent",
    occasion: "the next prompt",
  },
  "prompt.late": {
    seen: "OK, and > seconds later",
    host: "wait, and take what else is said meanwhile",
    occasion: "the next prompt",
    argument: ms("delay", 4000, 10, 60_000),
    draw: within(2000, 8000),
  },
  "prompt.split": {
    seen: "a message of another task between OK and >",
    host: "recognise messages while waiting for the prompt, too",
    occasion: "the next prompt",
  },
  "prompt.space": {
    seen: "a space after >",
    host: "swallow one space after the prompt; it is no data",
    occasion: "the next prompt",
    notIn: NONOS,
  },
  "cmd.busy_p": {
    seen: "busy p... in the place of the reply: the command was refused",
    host: "wait 50 to 500 ms and give the refused command again, if twice does no harm",
    occasion: "the next command",
  },
  "cmd.busy_then_ok": {
    seen: "busy p..., and later the result",
    host: "keep the command's place until its deadline: the result is not that of the next command",
    occasion: "the next command",
    argument: ms("delay", 1500, 1, 60_000),
    draw: within(100, 4000),
  },
  "cmd.busy_forever": {
    seen: "busy p... to whatever is sent",
    host: "after 20 s AT+RST as it stands, which ESP-AT obeys though busy; then the reset pin",
    occasion: "the next command",
    until: "the next reset",
  },
  "cmd.no_reply": {
    seen: "nothing: the command is lost",
    host: "give it its deadline, then resynchronise",
    occasion: "the next command",
  },
  "cmd.late_ok": {
    seen: "the result, after the host has given it up; busy p... to what it sends before",
    host: "when resynchronising wait for silence, and probe until the answers fit the questions",
    occasion: "the next result",
    argument: ms("delay", 5000, 1, 120_000),
    draw: within(1000, 25_000),
  },
  "cmd.error_spurious": {
    seen: "ERROR to a command that was right",
    host: "try a setting once more; after AT+CIPSEND ask for the state of the link",
    occasion: "the next command",
  },
  "echo.on": {
    seen: "the module has restarted without a word: commands are echoed, links and settings are gone",
    host: "not take an echo for an answer, but for a hint: ask for a setting that a restart loses",
    occasion: "now",
  },
  "echo.split": {
    seen: "a message inside the echo of a command",
    host: "turn the echo off; find messages at the end of a line, too",
    occasion: "the next echo",
  },
  "urc.in_reply": {
    seen: "a message between the reply and its OK",
    host: "look for messages before taking a line for a reply",
    occasion: "the next result",
  },
  "rx.drop": {
    seen: "bytes from the module are missing",
    host: "take payload by its count; if what follows it is not a line end or a known message, the stream is damaged: close the link",
    occasion: "the next byte",
    argument: bytes("missing", 1, 1024),
    draw: within(1, 20),
  },
  "rx.drop_in_header": {
    seen: "a byte is missing before a +IPD's or a read's data",
    host: "give a header 100 ms; note an unknown line; in doubt close the link",
    occasion: "the next header",
    argument: bytes("missing", 1, 16),
    draw: within(1, 3),
  },
  "rx.corrupt": {
    seen: "0x00, 0xFF and noise in the place of bytes from the module",
    host: "drop what makes no sense; when it goes on, reset and find the rate again",
    occasion: "the next byte",
    argument: bytes("damaged", 4, 4096),
    draw: within(1, 60),
  },
  "tx.drop": {
    seen: "no Recv: the module has missed bytes of the payload and waits for them",
    host: "give Recv the time of the bytes and 2 s; then +++, or zeros on AT 1.7, and close the link: rubbish may have gone out",
    occasion: "the next payload",
    argument: bytes("missing", 1, 1024),
    draw: within(1, 20),
  },
  "tx.overrun": {
    seen: "busy p... behind the payload: the module has understood a shorter length, and thrown the rest away",
    host: "close the link: what the peer got is not what was sent",
    occasion: "the next payload",
    argument: bytes("surplus", 1, 1024),
    draw: within(1, 40),
  },
  "send.silent_window": {
    seen: "Recv, and nothing for long: what is sent before SEND OK is lost",
    host: "send nothing between payload and SEND OK",
    occasion: "the next send",
    argument: ms("delay", 500, 1, 20_000),
    draw: within(50, 3000),
  },
  "send.plus3": {
    seen: "SEND Canceled: a piece of the payload was +++ to the module, and the rest of it is a command line",
    host: "never send +++ alone; count the payload as not sent, and send it in other pieces",
    occasion: "the next payload",
    notIn: NONOS,
  },
  "send.fail": {
    seen: "Recv, then SEND FAIL; part of the payload has gone out",
    host: "close the link: nobody knows what the peer got",
    occasion: "the next send",
    argument: { name: "sent", unit: "%", least: 0, most: 100, usual: 50 },
  },
  "send.fail_then_ok": {
    seen: "SEND FAIL, and SEND OK after it",
    host: "believe the first and close the link",
    occasion: "the next send",
    argument: ms("delay", 200, 1, 20_000),
    draw: within(1, 3000),
  },
  "send.ok_late": {
    seen: "SEND OK seconds late",
    host: "wait for it till a deadline, and receive meanwhile",
    occasion: "the next send",
    argument: ms("delay", 8000, 1, 120_000),
    draw: within(1000, 25_000),
  },
  "send.ok_never": {
    seen: "Recv, and never SEND OK: the module waits for the peer, and is deaf",
    host: "a deadline, then the ladder up to the reset pin: commands are not heard",
    occasion: "the next send",
    until: "the next reset",
  },
  "send.closed_mid": {
    seen: "Recv, then CLOSED, then SEND FAIL",
    host: "wait 1 s more for the result; the link is gone",
    occasion: "the next send",
  },
  "link.closed_before_data": {
    seen: "CLOSED, with data still to be read",
    host: "after CLOSED try to read once; ERROR does no harm",
    occasion: "the next data",
  },
  "link.closed_withheld": {
    seen: "the peer has hung up behind its data; no CLOSED before all of it has been read",
    host: "read to the end, then expect CLOSED",
    occasion: "the next data",
    notIn: NONOS,
  },
  "link.double_closed": {
    seen: "CLOSED, and CLOSED again, maybe when the link is in use anew",
    host: "count the lives of a link; while connecting ignore CLOSED until CONNECT or ERROR",
    occasion: "now",
    argument: ms("delay", 300, 1, 60_000),
    draw: within(1, 5000),
  },
  "link.error_then_closed": {
    seen: "ERROR to AT+CIPSTART, then CLOSED",
    host: "swallow a CLOSED within 500 ms of a connect that failed",
    occasion: "the next connect",
    argument: ms("delay", 100, 0, 5000),
    draw: within(0, 400),
  },
  "link.connect_late": {
    seen: "CONNECT and OK after the host's patience",
    host: "wait longer than the module does; close a link that comes too late",
    occasion: "the next connect",
    argument: ms("delay", 25_000, 1, 120_000),
    draw: within(5000, 60_000),
  },
  "link.already": {
    seen: "ERROR to AT+CIPSTART, on AT 1.7 after ALREADY CONNECTED: the module holds a link that nobody has",
    host: "ask for the links, close it, and connect again",
    occasion: "the next connect",
  },
  "link.unexpected_connect": {
    seen: "CONNECT of a link that nobody asked for",
    host: "close that link",
    occasion: "now",
  },
  "link.half_open": {
    seen: "nothing: the peer is gone, SEND OK goes on while there is room",
    host: "have the module probe (keep-alive 60 in AT+CIPSTART), and miss the answer to PINGREQ",
    occasion: "now",
  },
  "link.slow_peer": {
    seen: "SEND OK after seconds, and meanwhile no data of any link",
    host: "limit a send to 10 s (AT+CIPTCPOPT), and keep own timers running",
    occasion: "the next send",
    argument: ms("delay", 5000, 1, 120_000),
    draw: within(1000, 12_000),
  },
  "passive.lost_notice": {
    seen: "no +IPD though data waits",
    host: "ask with AT+CIPRECVLEN? every second or two while a link is open and quiet",
    occasion: "the next notice",
  },
  "passive.len_mismatch": {
    seen: "a read gives fewer bytes than were announced, or ERROR (:0)",
    host: "believe the count that comes with the data; ERROR means none",
    occasion: "the next read",
    argument: { name: "given", unit: "bytes", least: 0, most: 2048, usual: 1 },
    draw: within(0, 3),
  },
  "wifi.drop": {
    seen: "WIFI DISCONNECT after seconds, CLOSED of each link, later WIFI CONNECTED and WIFI GOT IP",
    host: "take all links for dead; wait 30 s for WIFI GOT IP, then join",
    occasion: "now",
    argument: ms("away", 20_000, 1, 86_400_000),
    draw: within(2_000, 60_000),
  },
  "wifi.drop_silent": {
    seen: "WIFI DISCONNECT and no CLOSED, later WIFI CONNECTED and WIFI GOT IP; the links are dead",
    host: "take all links for dead at WIFI DISCONNECT",
    occasion: "now",
    argument: ms("away", 20_000, 1, 86_400_000),
    draw: within(2_000, 60_000),
  },
  "wifi.join_fail": {
    seen: "+CWJAP:n and ERROR, FAIL on AT 1.7",
    host: "try again soon after 1 and 4, seldom after 2 (password) and 3 (no such network)",
    occasion: "the next join",
    argument: { name: "code", unit: "", least: 1, most: 4, usual: 4 },
  },
  "wifi.no_autoreconnect": {
    seen: "WIFI DISCONNECT, and nothing more",
    host: "join after a time of one's own",
    occasion: "now",
    until: "a join that is asked for, or a reset",
  },
  "wifi.ip_change": {
    seen: "a second WIFI GOT IP; the links are dead",
    host: "close the links and connect again",
    occasion: "now",
  },
  "module.reset": {
    seen: "noise of the boot and ready, at the default rate, in the middle of anything",
    host: "take everything for lost: settings, links, commands; begin anew",
    occasion: "now",
    argument: { name: "cause", unit: "", least: 1, most: 4, usual: 4 },
    draw: () => 4,
  },
  "module.reset_at_other_baud": {
    seen: "noise for ever: the module has restarted at another rate",
    host: "try the rates that it could have, the default one too; then the reset pin, which puts it right",
    occasion: "now",
    argument: { name: "rate", unit: "baud", least: 1200, most: 3_000_000, usual: 9600 },
    draw: (random) => [9600, 57_600, 74_880, 230_400][random.int(4)] ?? 9600,
    until: "the next reset",
  },
  "module.wdt_loop": {
    seen: "ready every few seconds",
    host: "count, hold off for longer and longer, and report it",
    occasion: "now",
    argument: { name: "resets", unit: "", least: 1, most: 10_000, usual: 5 },
    draw: within(2, 8),
  },
  "module.tls_oom": {
    seen: "ERROR seconds after AT+CIPSTART of a TLS link, or a reset (:0)",
    host: "close other links and try again later; never at once",
    occasion: "the next TLS connect",
    argument: ms("delay", 4000, 0, 20_000),
    draw: within(2000, 10_000),
  },
  "module.hang": {
    seen: "nothing any more",
    host: "hold the reset pin low for 10 ms and more, 100 to be sure",
    occasion: "now",
    until: "the reset pin, or its power",
  },
  "module.transparent_stuck": {
    seen: "no answer and no echo: everything goes to the peer",
    host: "1 s of silence, +++ alone, 1 s of silence, AT",
    occasion: "now",
    until: "+++ alone, or a reset",
  },
  "module.sleep_wake": {
    seen: "the first bytes of a command are lost: it was asleep",
    host: "send AT twice after a pause, or forbid it to sleep (AT+SLEEP=0)",
    occasion: "the next command",
    argument: bytes("missing", 1, 16),
    draw: within(1, 4),
  },
  "boot.autojoin": {
    seen: "WIFI CONNECTED and WIFI GOT IP after ready, before any command",
    host: "accept it",
    occasion: "the next boot",
  },
  "uart.flow_stall": {
    seen: "the module's CTS says no: nothing leaves the host",
    host: "give what it sends a deadline",
    occasion: "now",
    argument: ms("stall", 10_000, 1, 600_000),
    draw: within(500, 30_000),
  },
  "nul.bytes": {
    seen: "a stray 0x00 from the module; one to it, which has it forget the line so far",
    host: "drop 0x00 outside of payload; a command may go unheard",
    occasion: "the next chunk",
    argument: bytes("stray", 1, 16),
    draw: within(1, 3),
  },
  "cmd.long": {
    seen: "nothing: a line that the module finds too long is dropped without a word",
    host: "keep lines within 256 bytes, 128 on old firmware",
    occasion: "the next command",
    argument: { name: "room", unit: "bytes", least: 2, most: 256, usual: 32 },
    draw: within(8, 32),
  },
  "dns.fail": {
    seen: "ERROR, on AT 1.7 after DNS Fail",
    host: "try later, and later still",
    occasion: "the next look-up",
  },
  "dns.slow": {
    seen: "ERROR after 5 to 20 s",
    host: "wait for it; then as after any failed look-up",
    occasion: "the next look-up",
    argument: ms("delay", 12_000, 1, 60_000),
    draw: within(5000, 20_000),
  },
  "sntp.unset": {
    seen: "1970 for the time, and no +TIME_UPDATED; certificates are not valid yet",
    host: "wait for the time before TLS, or set it",
    occasion: "now",
    argument: ms("unset", 60_000, 1, 86_400_000),
    draw: within(5000, 120_000),
    until: "its time, or a reset",
  },
} satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof CATALOGUE;

export const FAULTS: Readonly<Record<FaultName, FaultKind>> = CATALOGUE;

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(CATALOGUE, name);
}

/** In the order of the catalogue. */
export const faultNames: readonly FaultName[] = Object.keys(CATALOGUE).filter(isFaultName);

/** Families other than ESP-AT, and the few faults that they know. */
const OF_FAMILIES: Readonly<Record<string, readonly FaultName[]>> = {
  ism43362: ["wifi.drop", "module.reset", "module.hang"],
};

/** The faults that make sense in a personality, or in a module of another family. */
export function faultsOf(personality: string): FaultName[] {
  const few = OF_FAMILIES[personality];
  if (few !== undefined) {
    return [...few];
  }
  return faultNames.filter((name) => FAULTS[name].notIn?.includes(personality) !== true);
}

export interface Fault {
  /** When it strikes, in ms of simulated time. */
  readonly at: number;
  readonly name: FaultName;
  /** See {@link FaultKind.argument}; undefined for a fault that has none. */
  readonly argument: number | undefined;
}

export interface FaultPlan {
  /** The span in which faults strike, in ms of simulated time. */
  readonly from: number;
  readonly to: number;
  /** Mean time from one fault to the next in ms; the intervals are exponentially distributed. */
  readonly meanInterval: number;
  /** What may happen, each alike. Default: a Wi-Fi drop of 2 to 60 s, or a module that resets by itself. */
  readonly names?: readonly FaultName[];
}

/** An argument for a fault that strikes by chance. */
export function drawArgument(random: Random, name: FaultName): number | undefined {
  const kind = FAULTS[name];
  if (kind.argument === undefined) {
    return undefined;
  }
  const { least, most } = kind.argument;
  return kind.draw?.(random) ?? least + random.int(most - least + 1);
}

/** The faults of one span, drawn from `random`: the same list for the same seed, sorted by time. */
export function drawFaults(random: Random, plan: FaultPlan): Fault[] {
  const names = plan.names ?? (["wifi.drop", "module.reset"] as const);
  const faults: Fault[] = [];
  for (let at = plan.from; ; ) {
    at += -Math.log(1 - random.next()) * plan.meanInterval;
    const name = names[random.int(names.length)];
    if (at >= plan.to || name === undefined) {
      return faults;
    }
    faults.push({ at: Math.round(at), name, argument: drawArgument(random, name) });
  }
}

/** What faults strike: `EspAtModule.faults`, or whatever a test hands in. */
export interface FaultTarget {
  strike(name: FaultName, argument?: number): void;
}

/** Has the faults, which are sorted by time, strike when theirs comes. Only the next one is in the clock's queue. */
export function scheduleFaults(clock: SimClock, faults: readonly Fault[], target: FaultTarget, from = 0): void {
  const fault = faults[from];
  if (fault === undefined) return;
  clock.at(fault.at, () => {
    target.strike(fault.name, fault.argument);
    scheduleFaults(clock, faults, target, from + 1);
  });
}
