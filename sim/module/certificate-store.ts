/** The certificates and keys in the module's flash, in the form in which each generation keeps them. */

/** The files for TLS clients, by the names of their partitions and namespaces. */
export const CLIENT_FILES = ["client_ca", "client_cert", "client_key"] as const;
export type ClientFile = (typeof CLIENT_FILES)[number];

/** Bytes of a partition, and of the piece of flash that is erased at a time. */
export const PARTITION_SIZE = 8192;
export const SECTOR_SIZE = 4096;

/**
 * How a generation keeps them: as key-value pairs in the manufacturing NVS; as images of PKI items in partitions of
 * their own; or as one file in a place that only the flashing tool can write.
 */
export type StoreKind = "manufacturing" | "partitions" | "burnt";

/** One value of the manufacturing NVS, with its type by the numbers of AT+SYSMFG. */
export interface ManufacturingValue {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface CertificateStore {
  readonly partitions: Map<string, Uint8Array>;
  /** Values by namespace and key. */
  readonly manufacturing: Map<string, Map<string, ManufacturingValue>>;
}

const BINARY = 8;
const ERASED = 0xff;
/** Head of an image of PKI items: magic, count of items, bytes of items. */
const HEAD = 8;
const MAGIC = 0xf1f1;
/** Head of an item: type, number, length. */
const ITEM_HEAD = 4;
const ITEM_TYPES: Record<ClientFile, number> = { client_ca: 1, client_cert: 2, client_key: 3 };

export function blankCertificates(): CertificateStore {
  const partitions = CLIENT_FILES.map((name) => [name, new Uint8Array(PARTITION_SIZE).fill(ERASED)] as const);
  const namespaces = CLIENT_FILES.map((name) => [name, new Map<string, ManufacturingValue>()] as const);
  return { partitions: new Map(partitions), manufacturing: new Map(namespaces) };
}

/** File number `index` of a kind, or undefined if there is none. */
export function clientFile(
  { partitions, manufacturing }: CertificateStore, kind: StoreKind, file: ClientFile, index: number,
): Uint8Array | undefined {
  if (kind === "manufacturing") {
    return manufacturing.get(file)?.get(`${file}.${index}`)?.bytes;
  }
  const image = partitions.get(file) ?? new Uint8Array(0);
  if (kind === "partitions") {
    return unpackItems(image, file)[index];
  }
  const length = image.findLastIndex((byte) => byte !== ERASED) + 1;
  return index === 0 && length > 0 ? image.subarray(0, length) : undefined;
}

/** Puts files where the module looks for them, as the flashing tool does. Replaces all of that kind. */
export function burnClientFiles(
  { partitions, manufacturing }: CertificateStore, kind: StoreKind, file: ClientFile, contents: readonly Uint8Array[],
): void {
  if (kind === "manufacturing") {
    manufacturing.set(file, new Map(contents.map((bytes, index) => [`${file}.${index}`, { type: BINARY, bytes }])));
    return;
  }
  const image = kind === "partitions" ? packItems(file, contents) : (contents[0] ?? new Uint8Array(0));
  if (image.length > PARTITION_SIZE) {
    throw new RangeError(`${file} takes ${image.length} bytes, and its partition has ${PARTITION_SIZE}`);
  }
  const partition = new Uint8Array(PARTITION_SIZE).fill(ERASED);
  partition.set(image);
  partitions.set(file, partition);
}

/** The image of PKI items that ESP-AT 2 keeps in a partition: a head, then each item padded to whole words. */
export function packItems(file: ClientFile, contents: readonly Uint8Array[]): Uint8Array {
  const items = contents.map((bytes, index) => {
    const item = Buffer.alloc(ITEM_HEAD + Math.ceil(bytes.length / 4) * 4, ERASED);
    item.writeUInt8(ITEM_TYPES[file], 0);
    item.writeUInt8(index, 1);
    item.writeUInt16LE(bytes.length, 2);
    item.set(bytes, ITEM_HEAD);
    return item;
  });
  const head = Buffer.alloc(HEAD);
  head.writeUInt16LE(MAGIC, 0);
  head.writeUInt16LE(items.length, 2);
  head.writeUInt32LE(items.reduce((sum, { length }) => sum + length, 0), 4);
  return Buffer.concat([head, ...items]);
}

/** The items of one kind in an image; none if it is not one. */
function unpackItems(image: Uint8Array, file: ClientFile): Uint8Array[] {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  const found: Uint8Array[] = [];
  if (bytes.length < HEAD || bytes.readUInt16LE(0) !== MAGIC) {
    return found;
  }
  const end = Math.min(HEAD + bytes.readUInt32LE(4), bytes.length);
  let at = HEAD;
  for (let left = bytes.readUInt16LE(2); left > 0 && at + ITEM_HEAD <= end; left -= 1) {
    const length = bytes.readUInt16LE(at + 2);
    const content = at + ITEM_HEAD;
    if (content + length > end) {
      break;
    }
    if (bytes.readUInt8(at) === ITEM_TYPES[file]) {
      found.push(bytes.subarray(content, content + length));
    }
    at = content + Math.ceil(length / 4) * 4;
  }
  return found;
}
