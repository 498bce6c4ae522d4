import { describe, expect, it } from "vitest";
import { PortError } from "../../hal/node/port-error";
import { groupNamed, portFailure } from "../../tools/run/port-failure";
import { choosePort, isPseudoTerminal, type PortEntry, portLine } from "../../tools/run/ports";

function entry(path: string, usb?: string): PortEntry {
  const [vendorId, productId] = usb === undefined ? [] : usb.split(":");
  return { path, vendorId, productId, serialNumber: undefined, manufacturer: undefined };
}

const BUILT_IN = entry("/dev/ttyS0");
const ADAPTER = entry("/dev/ttyUSB0", "10c4:ea60");
const ANOTHER = entry("/dev/ttyACM0", "2e8a:000a");

function choose(list: readonly PortEntry[], flag?: string, variable?: string): Promise<string> {
  return choosePort(flag, variable, () => Promise.resolve(list));
}

describe("the port of a module", () => {
  it("is the flag's, else the variable's, else the only one on USB", async () => {
    expect(await choose([ADAPTER], "/dev/ttyS0", "/dev/ttyS1")).toBe("/dev/ttyS0");
    expect(await choose([ADAPTER], undefined, "/dev/ttyS1")).toBe("/dev/ttyS1");
    expect(await choose([BUILT_IN, ADAPTER], undefined, "")).toBe("/dev/ttyUSB0");
  });

  it("is never guessed between two, nor among those that are on no USB", async () => {
    await expect(choose([BUILT_IN, ADAPTER, ANOTHER])).rejects.toThrow(/one with --port: \/dev\/ttyUSB0, \/dev\/ttyACM0$/);
    await expect(choose([BUILT_IN])).rejects.toThrow("no USB serial port found");
    await expect(choose([])).rejects.toThrow("no USB serial port found");
  });

  it("is shown as a line, with a dash for what is not known", () => {
    expect(portLine(BUILT_IN)).toBe("/dev/ttyS0  -  -  -");
    const known = { ...ADAPTER, serialNumber: "0001", manufacturer: "Silicon Labs" };
    expect(portLine(known)).toBe("/dev/ttyUSB0  0001  10c4:ea60  Silicon Labs");
  });

  it("is a pseudo terminal or not", () => {
    expect(isPseudoTerminal("/dev/null")).toBe(false);
    expect(isPseudoTerminal("/dev/pts/no-such")).toBe(false);
  });

  it("belongs to a group, whose name is found", () => {
    const groups = "root:x:0:\ndialout:x:20:ann,bob\ntty:x:5:\n";
    expect(groupNamed(20, groups)).toBe("dialout");
    expect(groupNamed(2, groups)).toBeUndefined();
  });

  it("that may not be opened never leads to the advice to join root", () => {
    const { message } = portFailure(new PortError("/dev/null", "forbidden", "Permission denied"));
    expect(message).toBe("/dev/null: no permission: this user may not open it");
    expect(portFailure(new PortError("COM3", "forbidden", "")).message).toContain("this user may not open it");
  });
});
