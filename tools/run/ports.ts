/** The serial ports of this computer, and which of them the module hangs on. */
import { realpathSync } from "node:fs";
import { Failure } from "../failure";

export interface PortEntry {
  readonly path: string;
  /** Of the USB adapter, four hex digits each; undefined for a port that is on no USB. */
  readonly vendorId: string | undefined;
  readonly productId: string | undefined;
  readonly serialNumber: string | undefined;
  readonly manufacturer: string | undefined;
}

/** All ports that there are, those on USB first. */
export async function listPorts(): Promise<PortEntry[]> {
  const { SerialPort } = await import("serialport");
  const found = await SerialPort.list().catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    const reason = text.includes("udevadm ENOENT") ? "udevadm is not installed" : text;
    throw new Failure(`the serial ports cannot be listed (${reason}): name one with --port`);
  });
  return found.map(entryOf).sort((a, b) => Number(onUsb(b)) - Number(onUsb(a)) || a.path.localeCompare(b.path, "en"));
}

function entryOf({ path, vendorId, productId, serialNumber, manufacturer }: PortEntry): PortEntry {
  // On macOS, opening tty.* waits for a carrier that never comes; cu.* is the same port without the wait.
  return { path: path.replace(/^\/dev\/tty\./, "/dev/cu."), vendorId, productId, serialNumber, manufacturer };
}

function onUsb(port: PortEntry): boolean {
  return port.vendorId !== undefined;
}

/** A port as a line: path, serial number, vendor and product, manufacturer; `-` for what is not known. */
export function portLine(port: PortEntry): string {
  const { path, serialNumber = "-", vendorId, productId = "????", manufacturer = "-" } = port;
  return `${path}  ${serialNumber}  ${vendorId === undefined ? "-" : `${vendorId}:${productId}`}  ${manufacturer}`;
}

/**
 * The port to use: what the flag names, else what MOTH_PORT names, else the only one on USB. Between two it never
 * guesses, and a named port that is not there is no reason to take another.
 */
export async function choosePort(
  flag: string | undefined, variable: string | undefined, list: () => Promise<readonly PortEntry[]>,
): Promise<string> {
  if (flag !== undefined) return flag;
  if (variable !== undefined && variable !== "") return variable;
  const [first, ...more] = (await list()).filter(onUsb);
  if (first === undefined) throw new Failure("no USB serial port found: plug the adapter in, or name a port with --port");
  if (more.length === 0) return first.path;
  const paths = [first, ...more].map(({ path }) => path).join(", ");
  throw new Failure(`more than one USB serial port: choose one with --port: ${paths}`);
}

/** Whether a path leads to a pseudo terminal: then the other end is a program on this computer. */
export function isPseudoTerminal(path: string): boolean {
  try {
    return /^\/dev\/(pts\/\d+|ttys\d{3})$/.test(realpathSync(path));
  } catch {
    return false;
  }
}
