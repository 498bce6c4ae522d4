/** A certificate or the key in the storage, for whoever reads it a piece at a time: the driver, which gives it to the module. */
import type { Bytes, Storage } from "../../hal/hal";
import { copy, div } from "#native";
import { type PemSource } from "../wifi/module";
import { loadPart, type Pem, slotsOf } from "./certificate";
import { SIZES } from "./sizes";

/** `record` is lent for the length of each call: 1024 bytes. @boot */
export function createStoredPem(storage: Storage, record: Bytes, pem: Pem): PemSource {
  return {
    length() {
      let length = 0;
      for (let index = 0; index < slotsOf(pem); index++) {
        const held = loadPart(storage, pem, index, record);
        length += held;
        if (held < SIZES.settings) break;
      }
      return length;
    },
    read(from, to, at, count) {
      let done = 0;
      while (done < count) {
        const index = div(from + done, SIZES.settings);
        const offset = from + done - index * SIZES.settings;
        const left = loadPart(storage, pem, index, record) - offset;
        if (left <= 0) return;
        const part = left < count - done ? left : count - done;
        copy(record, offset, to, at + done, part);
        done += part;
      }
    },
  };
}
