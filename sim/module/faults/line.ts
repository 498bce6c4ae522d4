/** Faults of the serial line, and of the UART drivers at the module's end of it. */
import type { Firmware } from "../firmware";
import { ReceiveState } from "../receive-task";
import type { Hit, ModuleFaults } from "./module-faults";

const NOTHING = new Uint8Array(0);
const CANCEL = Buffer.from("+++");
/** What goes before the data of a +IPD or of an answer to a read, or is the whole of a notice. */
const HEADER = /^(?:\r\n\+IPD,[^:\r]*(?::|\r\n)|(?:\r\n)?\+CIPRECVDATA[:,]\d+(?:,"[^"]*",\d+)?[,:])/;
const LONGEST_HEADER = 80;

/** What the host gets of a piece that the module prints: the same bytes, or a damaged copy. */
export function onTheWayOut(faults: ModuleFaults, piece: Uint8Array): Uint8Array {
  if (faults.hung) {
    return NOTHING;
  }
  if (faults.none) {
    return piece;
  }
  const headed = withoutPartOfHeader(faults, piece);
  const dropped = without(headed, faults.among("rx.drop", headed.length));
  return corrupted(faults, dropped, faults.among("rx.corrupt", dropped.length));
}

/** What the module gets of a chunk from the host, in one piece or several. */
export function onTheWayIn(firmware: Firmware, chunk: Uint8Array): readonly Uint8Array[] {
  const { faults, receiver } = firmware;
  if (faults.hung) {
    return [];
  }
  if (faults.none || !firmware.takesCommands) {
    return [chunk];
  }
  switch (receiver.state) {
    case ReceiveState.Idle:
      return [intoIdle(firmware, chunk)];
    case ReceiveState.SendWait:
      return intoPayload(faults, chunk);
    default:
      return [chunk];
  }
}

function intoIdle({ faults, receiver, printer }: Firmware, chunk: Uint8Array): Uint8Array {
  const asleep = receiver.atLineStart ? faults.strikes("module.sleep_wake") ?? 0 : 0;
  const heard = chunk.subarray(asleep);
  const stray = faults.strikes("nul.bytes");
  if (stray === undefined) {
    return heard;
  }
  const zeros = new Uint8Array(stray);
  printer.tell(zeros);
  const at = faults.pick(heard.length + 1);
  return Buffer.concat([heard.subarray(0, at), zeros, heard.subarray(at)]);
}

function intoPayload(faults: ModuleFaults, chunk: Uint8Array): readonly Uint8Array[] {
  if (faults.has("send.plus3")) {
    return [CANCEL, chunk.subarray(CANCEL.length)];
  }
  const missing = faults.strikes("tx.drop");
  return [missing === undefined ? chunk : without(chunk, [{ at: faults.pick(chunk.length), argument: missing }])];
}

function withoutPartOfHeader(faults: ModuleFaults, piece: Uint8Array): Uint8Array {
  if (!faults.mayStrike("rx.drop_in_header")) {
    return piece;
  }
  const header = HEADER.exec(Buffer.from(piece.subarray(0, LONGEST_HEADER)).toString("latin1"))?.[0];
  if (header === undefined) {
    return piece;
  }
  const missing = faults.strikes("rx.drop_in_header");
  return missing === undefined ? piece : without(piece, [{ at: faults.pick(header.length), argument: missing }]);
}

/** The bytes but for those from each hit on, as many as its argument says. */
function without(bytes: Uint8Array, hits: readonly Hit[]): Uint8Array {
  return hits.length === 0 ? bytes : bytes.filter((_, index) => !hits.some((hit) => isWithin(index, hit)));
}

function corrupted(faults: ModuleFaults, bytes: Uint8Array, hits: readonly Hit[]): Uint8Array {
  if (hits.length === 0) {
    return bytes;
  }
  return bytes.map((byte, index) => hits.some((hit) => isWithin(index, hit)) ? noise(faults, byte) : byte);
}

function isWithin(index: number, { at, argument }: Hit): boolean {
  return index >= at && index < at + argument;
}

/** What a UART makes of a byte that it has sampled in the wrong places. Never the byte itself. */
function noise(faults: ModuleFaults, byte: number): number {
  const read = [0x00, 0xff, faults.pick(256)][faults.pick(3)] ?? 0;
  return read === byte ? read ^ 0x80 : read;
}
