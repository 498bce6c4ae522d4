/**
 * The module as a serial device: a pseudo terminal, which socat holds, since Node has none. The device stays when a
 * program closes it, and the next one may open it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { lstatSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { Failure } from "../failure";
import { findTool } from "../system-tools.mjs";
import { type Outlet, type OutletEvents, UNREAD_LIMIT } from "./outlet";

/** Opens one, with a link to it if `link` names one. */
export async function openPtyOutlet(link: string | undefined, events: OutletEvents): Promise<Outlet> {
  const socat = findTool({ program: "socat" });
  if (socat === undefined) {
    throw new Failure("--pty: needs socat, which is not installed (apt-get install socat): or use --listen");
  }
  if (link !== undefined) checkLink(link);
  const options = ["pty", "raw", "echo=0", ...(link === undefined ? [] : [`link=${link}`])].join(",");
  const child = spawn(socat, ["-d", "-d", options, "-"], { stdio: "pipe", detached: true });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const device = await started(child, link);
  let closing = false;
  void ended.then(() => {
    if (!closing) events.failed(`socat, which holds ${device}, has ended`);
  });
  const killed = (): void => void child.kill("SIGKILL");
  process.once("exit", killed);
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (bytes: Buffer) => events.data(new Uint8Array(bytes)));
  events.connected({
    name: device,
    write: (bytes) => {
      if (child.stdin.writableLength < UNREAD_LIMIT) child.stdin.write(new Uint8Array(bytes));
    },
    pause: () => child.stdout.pause(),
    resume: () => child.stdout.resume(),
  });
  return {
    address: link ?? device,
    close: async () => {
      closing = true;
      child.kill("SIGTERM");
      await ended;
      process.off("exit", killed);
    },
  };
}

/** Whoever gives a name must not lose a file of it: only an old link to a terminal is replaced. */
function checkLink(link: string): void {
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSymbolicLink() || !readlinkSync(link).startsWith("/dev/")) {
    throw new Failure(`--pty ${link}: a file is in the way: give another name`);
  }
}

/** The path of the terminal, once socat serves it. */
function started(child: ChildProcessWithoutNullStreams, link: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let device = "";
    let complaint = "";
    createInterface(child.stderr).on("line", (line) => {
      device = / PTY is (\S+)/.exec(line)?.[1] ?? device;
      if (line.includes("starting data transfer")) resolve(device);
      complaint = / [EF] (.*)/.exec(line)?.[1] ?? complaint;
    });
    const fail = (reason: string): void => reject(new Failure(`--pty${link === undefined ? "" : ` ${link}`}: ${reason}`));
    child.once("error", (error) => fail(error.message));
    child.once("close", () => fail(complaint === "" ? "socat has ended" : complaint));
  });
}
