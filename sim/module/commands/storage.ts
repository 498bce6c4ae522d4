import { CLIENT_FILES, PARTITION_SIZE, SECTOR_SIZE } from "../certificate-store";
import { Outcome, type CommandEntry } from "../command-entry";
import { Collector } from "../data-mode";
import type { Firmware } from "../firmware";
import { ParameterError, type Parameters } from "../parameters";

/** Where the partitions are, by ESP-AT 2's `at_customize.csv`: type, and address of the first client partition. */
const PARTITION_TYPE = 0x40;
const ADDRESSES: Record<string, readonly [subtype: number, address: number]> = {
  client_cert: [5, 0xf8000],
  client_key: [6, 0xfa000],
  client_ca: [7, 0xfc000],
};

const ERASED = 0xff;
/** Longest name of a partition, a namespace or a key, in bytes. */
const LONGEST_NAME = 16;

const enum Operation {
  Erase = 0,
  /** AT+SYSFLASH */
  Write = 1,
  Read = 2,
}

const enum ManufacturingOperation {
  Erase = 0,
  Read = 1,
  Write = 2,
}

/** Ranges of the number types of AT+SYSMFG: u8, i8, u16, i16, u32, i32. */
const NUMBER_RANGES: readonly (readonly [number, number])[] = [
  [0, 0xff], [-0x80, 0x7f], [0, 0xffff], [-0x8000, 0x7fff], [0, 0xffffffff], [-0x80000000, 0x7fffffff],
];
const STRING = 7;
const BINARY = 8;

/** Commands that read and write files in the module's flash: certificates and keys. */
export const storageCommands: Record<string, CommandEntry> = {
  "+SYSFLASH": { query: tellPartitions, set: usePartition },
  "+SYSMFG": { query: tellNamespaces, set: useNamespace },
};

function tellPartitions({ answer }: Firmware): Outcome {
  return answer(...CLIENT_FILES.map((name) => {
    const [subtype, address] = ADDRESSES[name] ?? [0, 0];
    return `+SYSFLASH:"${name}",${PARTITION_TYPE},${subtype},0x${address.toString(16)},0x${PARTITION_SIZE.toString(16)}`;
  }));
}

function usePartition(firmware: Firmware, parameters: Parameters): Outcome {
  parameters.expect(2, 4);
  const operation: Operation = parameters.integer(0, Operation.Erase, Operation.Read);
  const partition = firmware.flash.certificates.partitions.get(parameters.text(1, LONGEST_NAME));
  if (partition === undefined) {
    throw new ParameterError();
  }
  const isWhole = operation === Operation.Erase && parameters.count === 2;
  const offset = isWhole ? 0 : parameters.integer(2, 0, partition.length - 1);
  const length = isWhole ? partition.length : parameters.integer(3, 1, partition.length - offset);
  const range = partition.subarray(offset, offset + length);
  switch (operation) {
    case Operation.Erase:
      if (offset % SECTOR_SIZE !== 0 || length % SECTOR_SIZE !== 0) {
        return Outcome.Error;
      }
      range.fill(ERASED);
      return Outcome.Ok;
    case Operation.Write:
      if (offset % 4 !== 0 || length % 4 !== 0) {
        return Outcome.Error;
      }
      // Writing can only clear bits: what was not erased comes out as a mixture.
      return collect(firmware, length, (bytes) => bytes.forEach((byte, at) => {
        range[at] = (range[at] ?? 0) & byte;
      }));
    case Operation.Read:
      firmware.printer.print(`+SYSFLASH:${length},`, range);
      return Outcome.Ok;
  }
}

/** Prompts for bytes, takes them, and ends the command with OK. */
function collect(firmware: Firmware, length: number, take: (bytes: Uint8Array) => void): Outcome {
  firmware.prompt(new Collector(length, (bytes) => {
    take(bytes);
    firmware.finish(Outcome.Ok);
  }));
  return Outcome.Later;
}

function tellNamespaces({ flash, answer }: Firmware): Outcome {
  return answer(...[...flash.certificates.manufacturing.keys()].map((name) => `+SYSMFG:"${name}"`));
}

function useNamespace(firmware: Firmware, parameters: Parameters): Outcome {
  parameters.expect(1, 5);
  const operation: ManufacturingOperation = parameters.integer(0, ManufacturingOperation.Erase, ManufacturingOperation.Write);
  if (operation === ManufacturingOperation.Read && parameters.count === 1) {
    return tellNamespaces(firmware);
  }
  const name = parameters.text(1, LONGEST_NAME);
  const values = firmware.flash.certificates.manufacturing.get(name);
  const key = parameters.has(2) ? parameters.text(2, LONGEST_NAME) : undefined;
  if (values === undefined) {
    throw new ParameterError();
  }
  if (key === undefined) {
    return operation === ManufacturingOperation.Write ? Outcome.Error : useAll(firmware, operation, name, values);
  }
  switch (operation) {
    case ManufacturingOperation.Erase:
      parameters.expect(3, 3);
      return values.delete(key) ? Outcome.Ok : Outcome.Error;
    case ManufacturingOperation.Read:
      return readValue(firmware, parameters, name, key);
    case ManufacturingOperation.Write:
      parameters.expect(5, 5);
      return writeValue(firmware, parameters, values, key);
  }
}

type Values = NonNullable<ReturnType<Firmware["flash"]["certificates"]["manufacturing"]["get"]>>;

function useAll({ answer }: Firmware, operation: ManufacturingOperation, name: string, values: Values): Outcome {
  if (operation === ManufacturingOperation.Erase) {
    values.clear();
    return Outcome.Ok;
  }
  return answer(...[...values].map(([key, { type }]) => `+SYSMFG:"${name}","${key}",${type}`));
}

function readValue({ flash, printer }: Firmware, parameters: Parameters, name: string, key: string): Outcome {
  const value = flash.certificates.manufacturing.get(name)?.get(key);
  if (value === undefined) {
    return Outcome.Error;
  }
  const offset = parameters.integerOr(3, 0, value.bytes.length - 1, 0);
  const length = parameters.integerOr(4, 1, 0x7fffffff, value.bytes.length);
  const bytes = value.bytes.subarray(offset, offset + length);
  printer.print(`+SYSMFG:"${name}","${key}",${value.type},${bytes.length},`, bytes, "\r\n");
  return Outcome.Ok;
}

function writeValue(firmware: Firmware, parameters: Parameters, values: Values, key: string): Outcome {
  const type = parameters.integer(3, 1, BINARY);
  if (type >= STRING) {
    return collect(firmware, parameters.integer(4, 1, PARTITION_SIZE), (bytes) => values.set(key, { type, bytes }));
  }
  const [least, most] = NUMBER_RANGES[type - 1] ?? [0, 0];
  values.set(key, { type, bytes: Buffer.from(String(parameters.integer(4, least, most))) });
  return Outcome.Ok;
}
