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
}

/** Where the firmware looks for it, see `firmware/board/settings.ts`. */
export const SETTINGS_SLOT = 0;

/** A new flash that holds these settings. Throws a RangeError for a value that cannot be written as one line. */
export function provisionedStorage(provisioning: Provisioning): SimStorage {
  const storage = new SimStorage();
  storage.provision(SETTINGS_SLOT, settingsText(provisioning));
  return storage;
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
