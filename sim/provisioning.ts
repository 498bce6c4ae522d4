import type { Storage } from "../hal/hal";
import { Pem, PEM_NAMES, slotOf, slotsOf } from "../firmware/board/certificate";
import { SIZES } from "../firmware/board/sizes";
import { SimStorage } from "./storage";

/** What a simulated board is told before it is switched on: what `moth provision` writes to a real one. */
export interface Provisioning {
  readonly device: string;
  readonly ssid: string;
  readonly wifiPassword: string;
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly baud?: number | undefined;
  /** What else there is in the record: networks and brokers to fall back on, by their keys. */
  readonly others?: ReadonlyMap<string, string>;
  /** Certificates and key in PEM, by what the board calls them: `ca`, `cert` and `key`. */
  readonly pems?: ReadonlyMap<string, string>;
}

/** Where the firmware looks for it, see `firmware/board/settings.ts`. */
export const SETTINGS_SLOT = 0;

/** A new flash that holds these settings. Throws a RangeError for a value that cannot be written as one line. */
export function provisionedStorage(provisioning: Provisioning): SimStorage {
  const storage = new SimStorage();
  storage.provision(SETTINGS_SLOT, settingsText(provisioning));
  keepPems(storage, provisioning);
  return storage;
}

/** Writes the certificates and the key that there are, and empties the slots of the others. False when it cannot. */
export function keepPems(storage: Storage, { pems }: Provisioning): boolean {
  const held = new Uint8Array(SIZES.settings);
  for (const pem of [Pem.Authority, Pem.Certificate, Pem.Key]) {
    const bytes = new TextEncoder().encode(pems?.get(PEM_NAMES[pem] ?? "") ?? "");
    if (bytes.length > slotsOf(pem) * SIZES.settings) throw new RangeError(`setting ${PEM_NAMES[pem]}: a board has no room for it`);
    for (let index = 0; index < slotsOf(pem); index++) {
      const part = bytes.subarray(index * SIZES.settings, (index + 1) * SIZES.settings);
      if (part.length === 0 && storage.load(slotOf(pem, index), held, 0, SIZES.settings) === 0) continue;
      if (!storage.save(slotOf(pem, index), part, 0, part.length)) return false;
    }
  }
  return true;
}

/** The record of these settings, as `key=value` lines. Throws a RangeError for a value that is not one line. */
export function settingsText(provisioning: Provisioning): string {
  const lines: [string, string | number | undefined][] = [
    ["device", provisioning.device],
    ["wifi.ssid", provisioning.ssid],
    ["wifi.password", provisioning.wifiPassword],
    ["wifi.baud", provisioning.baud],
    ["mqtt.host", provisioning.host],
    ["mqtt.port", provisioning.port],
    ["mqtt.user", provisioning.user],
    ["mqtt.password", provisioning.password],
    ...(provisioning.others ?? []),
  ];
  let text = "";
  for (const [key, value] of lines) {
    if (value === undefined) continue;
    if (String(value).includes("\n")) throw new RangeError(`setting ${key}: a line break cannot be part of it`);
    text += `${key}=${value}\n`;
  }
  return text;
}
