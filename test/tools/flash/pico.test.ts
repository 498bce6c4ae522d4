import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { PortError } from "../../../hal/node/port-error";
import { deviceOf, driveAt, findDrives, isThere, type Places, unmountedPico } from "../../../tools/flash/drives";
import type { PicoImage } from "../../../tools/flash/image";
import { flashPico, type PicoOptions } from "../../../tools/flash/pico";
import { Bench, Notes } from "./bench";
import { uf2 } from "./uf2-file";

const PICO_INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n";
const FEATHER_INFO = "UF2 Bootloader v3.15.0 SFHWRO\r\nModel: Feather M4 Express\r\nBoard-ID: SAMD51G19A-Feather-v0\r\n";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-drive-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A computer of its own: its folders lie in a temporary one. */
function computer(platform: NodeJS.Platform = "linux"): Places {
  return { platform, root: `${folder()}${platform === "win32" ? "/" : ""}`, user: "ann" };
}

/** Plugs in a board that waits for an image. */
function plug({ root }: Places, path: string, info = PICO_INFO): string {
  const drive = `${root}${path}`;
  mkdirSync(drive, { recursive: true });
  writeFileSync(join(drive, "INFO_UF2.TXT"), info);
  return drive;
}

function mount({ root }: Places, ...lines: readonly string[]): void {
  mkdirSync(`${root}/proc`, { recursive: true });
  writeFileSync(`${root}/proc/mounts`, `${lines.join("\n")}\n`);
}

/** 70 KB, so that it is copied in several pieces. */
function image(blocks = 140): PicoImage {
  const size = blocks * 256;
  return {
    board: "pico", chip: "rp2040", path: "build/app.uf2", name: "app.uf2", bytes: uf2(blocks),
    uf2: { blocks, size, from: 0x10000000, to: 0x10000000 + size },
  };
}

function options(places: Places, more: Partial<PicoOptions> = {}): PicoOptions {
  return {
    drive: undefined,
    port: undefined,
    open: () => Promise.reject(new Error("no port was to be opened")),
    places,
    signal: new AbortController().signal,
    appearPatience: 300,
    vanishPatience: 2000,
    ...more,
  };
}

/** Plays the boot ROM: when all of the file is there, the drive vanishes. Gives what it took. */
function playBootRom(drive: string, size = image().bytes.length): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const file = join(drive, "app.uf2");
      if (!existsSync(file) || statSync(file).size < size) return;
      clearInterval(timer);
      resolve(new Uint8Array(readFileSync(file)));
      rmSync(drive, { recursive: true, force: true });
    }, 2);
    onTestFinished(() => clearInterval(timer));
  });
}

describe("the drive of a Pico", () => {
  it.each<[NodeJS.Platform, string]>([
    ["linux", "/media/ann/RPI-RP2"],
    ["linux", "/run/media/ann/RPI-RP2"],
    ["linux", "/media/RPI-RP2"],
    ["linux", "/mnt/pico"],
    ["linux", "/mnt"],
    ["darwin", "/Volumes/RPI-RP2"],
    ["win32", "E:\\"],
  ])("is found on %s at %s", (platform, path) => {
    const places = computer(platform);
    plug(places, path);
    expect(findDrives(places)).toMatchObject([{ boardId: "RPI-RP2", model: "Raspberry Pi RP2" }]);
    expect(basename(findDrives(places)[0]?.path ?? "")).toBe(basename(path));
  });

  it("is found wherever Linux has mounted it, once, also with a blank in its path", () => {
    const places = computer();
    const drive = plug(places, "/home/ann/my pico");
    mount(places, "/dev/sda1 / ext4 rw 0 0", "/dev/sdb1 /home/ann/my\\040pico vfat rw 0 0");
    expect(findDrives(places)).toMatchObject([{ path: drive }]);
    mkdirSync(`${places.root}/mnt`);
    symlinkSync(drive, `${places.root}/mnt/pico`);
    expect(findDrives(places)).toHaveLength(1);
  });

  it("is none without INFO_UF2.TXT, and nowhere on a computer without such folders", () => {
    const places = computer();
    mkdirSync(`${places.root}/media/ann/STICK`, { recursive: true });
    expect(findDrives(places)).toEqual([]);
    expect(findDrives(computer("darwin"))).toEqual([]);
  });

  it("that was pulled out is seen by its device, while Linux still shows its files", () => {
    const places = computer();
    const path = plug(places, "/media/ann/RPI-RP2");
    const device = `${places.root}/sdb1`;
    writeFileSync(device, "");
    mount(places, `${device} ${path} vfat rw 0 0`);
    const drive = driveAt(path);
    if (drive === undefined) throw new Error("no drive");
    expect(deviceOf(drive, places)).toBe(device);
    expect(isThere(drive, device)).toBe(true);
    rmSync(device);
    expect(isThere(drive, device)).toBe(false);
    expect(isThere(drive, undefined)).toBe(true);
  });
});

describe("flashing a Pico", () => {
  it("copies the file to its drive, and takes the drive's end for success", async () => {
    const places = computer();
    const drive = plug(places, "/media/ann/RPI-RP2");
    const taken = playBootRom(drive);
    const notes = new Notes();
    await flashPico(image(), options(places), notes);
    expect(await taken).toEqual(image().bytes);
    expect(notes.texts).toEqual([
      `${drive}: Raspberry Pi RP2 (RPI-RP2)`,
      "copied 71,680 bytes",
      "the Pico took all 140 blocks and restarted; its drive cannot be read back, so the flash was not compared",
    ]);
    expect(notes.steps).toEqual(["copy"]);
    expect(notes.underWay).toBe(false);
  });

  it("does not mind that the drive goes before the last piece is confirmed", async () => {
    const places = computer();
    const drive = plug(places, "/media/ann/RPI-RP2");
    class Restarting extends Notes {
      override advance(done: number): void {
        if (done < image().bytes.length) return;
        rmSync(drive, { recursive: true });
        throw Object.assign(new Error("i/o error"), { code: "EIO" });
      }
    }
    const notes = new Restarting();
    await flashPico(image(), options(places), notes);
    expect(notes.texts.at(-1)).toContain("the Pico took all 140 blocks");
  });

  it("takes the drive that is named, and no other", async () => {
    const places = computer();
    const other = plug(places, "/media/ann/RPI-RP2");
    const named = plug(places, "/home/ann/pico");
    const taken = playBootRom(named);
    await flashPico(image(), options(places, { drive: named }), new Notes());
    expect(await taken).toEqual(image().bytes);
    expect(existsSync(join(other, "app.uf2"))).toBe(false);
  });

  it("does not mind other boards that wait", async () => {
    const places = computer();
    const feather = plug(places, "/media/ann/FEATHERBOOT", FEATHER_INFO);
    const taken = playBootRom(plug(places, "/media/ann/RPI-RP2"));
    await flashPico(image(), options(places), new Notes());
    await taken;
    expect(existsSync(join(feather, "app.uf2"))).toBe(false);
  });

  it("asks a board on its console for the drive, if there is none", async () => {
    const places = computer();
    const bench = new Bench({
      boot0: false,
      onConsoleLine: (line) => {
        if (line === "bootloader") taken = playBootRom(plug(places, "/media/ann/RPI-RP2"));
      },
    });
    let taken: Promise<Uint8Array> | undefined;
    const notes = new Notes();
    await flashPico(image(), options(places, { port: "/dev/ttyT0", open: bench.openWire }), notes);
    expect(await taken).toEqual(image().bytes);
    expect(bench.opened).toEqual([{ baud: 115200, parity: "none" }]);
    expect(bench.open).toBe(0);
    expect(notes.texts[0]).toBe("/dev/ttyT0: asked the board for its drive");
  });
});

describe("what flashing a Pico says when it cannot", () => {
  async function complaint(places: Places, more: Partial<PicoOptions> = {}): Promise<string> {
    return flashPico(image(), options(places, more), new Notes()).then(
      () => "flashed without a complaint",
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  it("there is no drive", async () => {
    const places = computer();
    expect(await complaint(places)).toBe("no Pico drive found: hold BOOTSEL while you plug the Pico in, then try again");
    const feather = plug(places, "/media/ann/FEATHERBOOT", FEATHER_INFO);
    expect(await complaint(places)).toBe(
      `no Pico drive found (${feather} is of another board: Feather M4 Express): ` +
        "hold BOOTSEL while you plug the Pico in, then try again",
    );
  });

  it("there are two, and it does not guess", async () => {
    const places = computer();
    const one = plug(places, "/media/ann/RPI-RP2");
    const two = plug(places, "/media/ann/RPI-RP21");
    expect(await complaint(places)).toBe(`more than one Pico waits for an image: choose one with --drive: ${one}, ${two}`);
    expect(existsSync(join(one, "app.uf2"))).toBe(false);
  });

  it("Linux sees the drive, and nobody has mounted it", async () => {
    const places = computer();
    mkdirSync(`${places.root}/dev/disk/by-label`, { recursive: true });
    writeFileSync(`${places.root}/dev/sdb1`, "");
    symlinkSync("../../sdb1", `${places.root}/dev/disk/by-label/RPI-RP2`);
    const device = `${places.root}/dev/sdb1`;
    expect(await complaint(places)).toBe(`the Pico's drive ${device} is not mounted: run "udisksctl mount -b ${device}"`);
    mount(places, `${device} /elsewhere vfat rw 0 0`);
    expect(unmountedPico(places)).toBeUndefined();
  });

  it("the named drive is none, or of another board", async () => {
    const places = computer();
    expect(await complaint(places, { drive: places.root })).toBe(
      `${places.root}: not the drive of a Pico: it has no INFO_UF2.TXT`,
    );
    const feather = plug(places, "/media/ann/FEATHERBOOT", FEATHER_INFO);
    expect(await complaint(places, { drive: feather })).toBe(
      `${feather}: wrong board: found SAMD51G19A-Feather-v0 (Feather M4 Express), this image is for RPI-RP2 (RP2040)`,
    );
  });

  it("the board on the port shows no drive", async () => {
    const bench = new Bench({ boot0: false });
    expect(await complaint(computer(), { port: "/dev/ttyT0", open: bench.openWire })).toBe(
      "no Pico drive found: the board on /dev/ttyT0 was asked and shows none: hold BOOTSEL while you plug the Pico in",
    );
  });

  it("the port cannot be had, or fails", async () => {
    const open = (): Promise<never> => Promise.reject(new PortError("/dev/ttyT0", "busy", ""));
    expect(await complaint(computer(), { port: "/dev/ttyT0", open })).toBe("/dev/ttyT0: busy: another program has it open");
    const bench = new Bench({ boot0: false });
    bench.failAt = { operation: 2, error: new PortError("/dev/ttyT0", "gone", "closed") };
    expect(await complaint(computer(), { port: "/dev/ttyT0", open: bench.openWire })).toContain("the port is gone");
    expect(bench.open).toBe(0);
  });

  it("the drive does not take the file", async () => {
    const places = computer();
    const drive = plug(places, "/media/ann/RPI-RP2");
    expect(await complaint(places, { vanishPatience: 50 })).toBe(
      `${drive}: the file was copied, but the drive is still there: the Pico did not take it; unplug it and try again`,
    );
  });

  it("the drive cannot be written", async () => {
    const places = computer();
    const drive = plug(places, "/media/ann/RPI-RP2");
    mkdirSync(join(drive, "app.uf2"));
    expect(await complaint(places)).toBe(`${drive}: cannot write there: it is a directory`);
  });

  it("the Pico is unplugged in the middle of the copy", async () => {
    const places = computer();
    const drive = plug(places, "/media/ann/RPI-RP2");
    class Unplugging extends Notes {
      override advance(): void {
        rmSync(drive, { recursive: true, force: true });
        throw Object.assign(new Error("i/o error"), { code: "EIO" });
      }
    }
    await expect(flashPico(image(), options(places), new Unplugging())).rejects.toThrow(
      `${drive}: the drive went away after 32,768 of 71,680 bytes (was the Pico unplugged?); the board holds no ` +
        "complete firmware now: hold BOOTSEL while you plug it in, and flash it again",
    );
  });

  it("a person stops it: before, in and after the copy", async () => {
    const places = computer();
    const drive = plug(places, "/media/ann/RPI-RP2");
    const stop = new AbortController();
    class Stopping extends Notes {
      override advance(): void {
        stop.abort();
      }
    }
    await expect(flashPico(image(), options(places, { signal: stop.signal }), new Stopping())).rejects.toThrow(
      "interrupted during the copy; the board holds no complete firmware now: hold BOOTSEL while you plug it in",
    );
    const late = new AbortController();
    class Late extends Notes {
      override say(text: string, event: string): void {
        if (event === "copied") late.abort();
        super.say(text, event);
      }
    }
    await expect(flashPico(image(), options(places, { signal: late.signal }), new Late())).rejects.toThrow(
      "interrupted during the wait for the Pico to take the file; flash it again if it does not start",
    );
    rmSync(drive, { recursive: true });
    const early = new AbortController();
    early.abort();
    const bench = new Bench({ boot0: false });
    const waiting = { port: "/dev/ttyT0", open: bench.openWire, signal: early.signal };
    expect(await complaint(places, waiting)).toBe(
      "interrupted during the search for the drive; nothing in the board was changed",
    );
  });
});
