import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Disc } from "./storage";

/** What is kept may be a password: only its owner may read it. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** A folder of the file system as a {@link Disc}. */
export class Folder implements Disc {
  /** Creates the folder, and those above it, if it is not there. Throws what the file system says. */
  constructor(private readonly path: string) {
    mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  }

  read(name: string): Uint8Array | undefined {
    try {
      return readFileSync(join(this.path, name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  write(name: string, bytes: Uint8Array): void {
    writeFileSync(join(this.path, name), bytes, { mode: FILE_MODE });
  }

  sync(name: string): void {
    flush(join(this.path, name), "r+");
  }

  rename(from: string, to: string): void {
    renameSync(join(this.path, from), join(this.path, to));
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }

  syncFolder(): void {
    // Windows opens no folders; NTFS keeps its own journal of names.
    if (process.platform !== "win32") flush(this.path, "r");
  }
}

function flush(path: string, flags: string): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
