/** The storage of a board that runs on this computer, with its settings written as `moth provision` would. */
import { FileStorage } from "../../hal/node/storage";
import { Folder } from "../../hal/node/folder";
import { keepPems, type Provisioning, SETTINGS_SLOT, settingsText } from "../../sim/provisioning";
import { SIZES } from "../../firmware/board/sizes";
import { Failure, reasonOf } from "../failure";

/** Opens the folder, or makes it. What the board kept there before stays; its settings are replaced. */
export function provisionedFolder(path: string, provisioning: Provisioning): FileStorage {
  const storage = new FileStorage(openFolder(path));
  const record = new TextEncoder().encode(textOf(provisioning));
  if (record.length > SIZES.settings) {
    throw new Failure(`the settings take ${record.length} bytes, a board has ${SIZES.settings}: shorten the passwords`);
  }
  if (!storage.save(SETTINGS_SLOT, record, 0, record.length) || !keepPems(storage, provisioning)) {
    throw new Failure(`--state ${path}: cannot be written to`);
  }
  return storage;
}

function openFolder(path: string): Folder {
  try {
    return new Folder(path);
  } catch (error) {
    throw new Failure(`--state ${path}: ${reasonOf(error)}`);
  }
}

function textOf(provisioning: Provisioning): string {
  try {
    return settingsText(provisioning);
  } catch (error) {
    if (error instanceof RangeError) throw new Failure(error.message);
    throw error;
  }
}
