import { describe, expect, test } from "vitest";
import { boardOn } from "../../../firmware/board/board-on";
import { createDigest, digestMore, Pem } from "../../../firmware/board/certificate";
import type { Application } from "../../../firmware/board/application";
import { createStoredPem } from "../../../firmware/board/stored-pem";
import { brokerTls } from "../../../firmware/board/tls";
import { LinkLoss, LinkState, type Link, type LinkUser } from "../../../firmware/core/link";
import { createEspAt } from "../../../firmware/wifi/esp-at";
import { createIsm43362 } from "../../../firmware/wifi/ism43362/ism43362";
import { createWifiStatus, type Security, Trust, Way, type WifiFamily, type WifiStatus } from "../../../firmware/wifi/module";
import { SimStorage } from "../../../sim/storage";
import type { BoardTls } from "../../../firmware/board/spec";
import { Rig } from "./rig";
import { Terminal } from "./terminal";

const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\nmqtt.tls=on\n";
const CA = "-----BEGIN CERTIFICATE-----\nY2E=\n-----END CERTIFICATE-----\n";
const CERT = CA.replace("Y2E", "bWU");
const KEY = "-----BEGIN PRIVATE KEY-----\nbWU=\n-----END PRIVATE KEY-----\n";

/** A module whose streams are as safe as the test says. */
class Guard {
  security: Security | undefined;
  status: WifiStatus | undefined;
  user: LinkUser | undefined;
  readonly calls: string[] = [];
  /** What each try comes to. */
  verdict = Trust.Untried;

  readonly family: WifiFamily = (_hal, options) => {
    const status = createWifiStatus("bench", options.baud, options.security === undefined ? Trust.NotAsked : Trust.Untried);
    this.status = status;
    this.security = options.security;
    const link: { -readonly [K in keyof Link]: Link[K] } = {
      state: LinkState.Down,
      attach: (user) => {
        this.user = user;
      },
      open: (host, port) => {
        this.calls.push(`open ${host}:${port}`);
        link.state = LinkState.Opening;
      },
      close: () => {
        link.state = LinkState.Down;
      },
    };
    return {
      link,
      status,
      receive: (now) => {
        status.way = Way.Joined;
        if (link.state !== LinkState.Opening) return;
        if (options.security !== undefined) status.trust = this.verdict;
        link.state = LinkState.Down;
        this.user?.linkDown(now, LinkLoss.Unreachable);
      },
      pump: () => undefined,
      wait: () => 100,
    };
  };
}

function application(family: WifiFamily, tls?: BoardTls): Application {
  return boardOn(family, {
    name: "safe", readings: {}, relays: {}, rules: {},
    numbers: { every: { unit: "s", min: 1, max: 60, initial: 5 } },
    telemetry: { every: "every", fields: ["seq"] },
  }, tls);
}

interface Kept {
  readonly settings?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

function started(family: WifiFamily, tls: BoardTls | undefined, { settings = SETTINGS, ca = CA, cert = "", key = "" }: Kept = {}): Rig {
  const rig = new Rig({ application: application(family, tls) });
  const { storage } = rig.bench;
  storage.provision(0, settings);
  for (const [slot, text] of [[4, ca], [2, cert], [3, key]] as const) {
    if (text !== "") storage.provision(slot, text);
  }
  return rig.start();
}

function textOf(source: Security["key"], from = 0): string {
  const bytes = new Uint8Array(source.length() - from);
  source.read(from, bytes, 0, bytes.length);
  return new TextDecoder().decode(bytes);
}

describe("a board that shall speak TLS", () => {
  test("gives the driver what it keeps, and knocks at the port for TLS", () => {
    const guard = new Guard();
    const rig = started(guard.family, brokerTls, { cert: CERT, key: KEY });
    expect(rig.board.problem).toBe("");
    expect(guard.calls[0]).toBe("open broker:8883");
    const { security } = guard;
    if (security === undefined) throw new Error("the driver was given nothing");
    expect([security.authority, security.certificate, security.key].map((source) => textOf(source))).toEqual([CA, CERT, KEY]);
    expect(security.timeServer).toBe("pool.ntp.org");
  });

  test("takes the time server and the ports that it is told", () => {
    const guard = new Guard();
    started(guard.family, brokerTls, { settings: `${SETTINGS}time.server=10.0.0.1\nmqtt.port=1884\n` });
    expect(guard.security?.timeServer).toBe("10.0.0.1");
    expect(guard.calls[0]).toBe("open broker:1884");
  });

  test.each(["mqtt.tls=off", ""])("asks for no TLS with the setting %j", (line) => {
    const guard = new Guard();
    const rig = started(guard.family, brokerTls, { settings: SETTINGS.replace("mqtt.tls=on", line), ca: "" });
    expect(rig.board.problem).toBe("");
    expect(guard.security).toBeUndefined();
    expect(guard.calls[0]).toBe("open broker:1883");
    expect(new Terminal(rig).askMap("status").get("tls")).toBe("off");
  });

  test.each<[string, Kept, string]>([
    ["authority", { ca: "" }, "setting ca: mqtt.tls is on, so give the certificate of the broker's authority"],
    ["key of its certificate", { cert: CERT }, "setting key: give the key of the certificate, or set cert="],
    ["certificate of its key", { key: KEY }, "setting cert: give the certificate of the key, or set key="],
    ["usable setting", { settings: SETTINGS.replace("=on", "=yes") }, "setting mqtt.tls: give on or off"],
  ])("connects to nothing without the %s, and says what to give", (_what, kept, problem) => {
    const guard = new Guard();
    const rig = started(guard.family, brokerTls, kept);
    rig.seconds(60);
    expect(new Terminal(rig).askMap("status").get("problem")).toBe(problem);
    expect(guard.calls).toEqual([]);
  });

  test.each<[string, WifiFamily, BoardTls | undefined]>([
    ["an application without TLS", createEspAt, undefined],
    ["a driver of ESP-AT without TLS", createEspAt, brokerTls],
    ["an ISM43362", createIsm43362, undefined],
    ["an ISM43362 of which it is asked all the same", createIsm43362, brokerTls],
  ])("never goes without: %s", (_what, family, tls) => {
    const rig = started(family, tls);
    rig.seconds(120);
    expect(rig.board.problem).toBe("setting mqtt.tls: this application has no TLS, give off or flash one that has");
    expect(rig.board.wifi.status).toMatchObject({ way: Way.Off, opens: 0, resets: 0 });
    expect(rig.broker.received).toEqual([]);
  });
});

describe("what became of the check of the broker's certificate", () => {
  test.each([
    [Trust.NoTime, "no time yet to check its certificate by"],
    [Trust.NoAuthority, "no CA certificate"],
    [Trust.NotStored, "the Wi-Fi module has not kept the certificates"],
    [Trust.Untrusted, "its certificate is not signed by the CA"],
    [Trust.WrongName, "its certificate is for another host"],
    [Trust.Expired, "its certificate has expired"],
    [Trust.NotYetValid, "its certificate is not valid yet"],
    [Trust.Refused, "it refused the certificate of this board, or wants one"],
    [Trust.Unsupported, "the Wi-Fi module cannot check certificates"],
    [Trust.Failed, "no TLS with it, and the Wi-Fi module does not say why"],
  ])("stands in status and journal: %i, %s", (trust, reason) => {
    const guard = new Guard();
    guard.verdict = trust;
    const rig = started(guard.family, brokerTls);
    const terminal = new Terminal(rig);
    const status = terminal.askMap("status");
    expect([status.get("tls"), status.get("tls.failure"), status.get("tls.time")]).toEqual(["failed", reason, "unknown"]);
    expect(terminal.ask("log").join("\n")).toContain(` s no session at broker: ${reason}\n`);
  });

  test("says nothing against a broker that is only away", () => {
    const guard = new Guard();
    const rig = started(guard.family, brokerTls);
    const { status } = guard;
    if (status === undefined) throw new Error("there is no module");
    const terminal = new Terminal(rig);
    expect(terminal.askMap("status").get("tls")).toBe("not tried yet");
    status.trust = Trust.Verified;
    guard.verdict = Trust.Verified;
    status.timeKnown = true;
    status.timeFailures = 3;
    status.certificateWrites = 2;
    expect(Object.fromEntries(terminal.askMap("status"))).toMatchObject({
      tls: "verified", "tls.failure": "", "tls.time": "known", "tls.time.failed": "3", "tls.written": "2",
    });
    rig.seconds(60);
    expect(terminal.ask("log").at(-2)).toMatch(/ s no session at broker: the broker cannot be reached$/);
  });
});

describe("a certificate in the storage", () => {
  test.each([0, 1, 1023, 1024, 1025, 2048, 3000, 4095, 4096])("of %i bytes is read in pieces as it lies there", (size) => {
    const storage = new SimStorage();
    const text = Array.from({ length: size }, (_, i) => String.fromCharCode(33 + (i * 7 + (i >> 8)) % 90)).join("");
    for (let i = 0; i * 1024 < size; i++) storage.provision(4 + i, text.slice(i * 1024, (i + 1) * 1024));
    const source = createStoredPem(storage, new Uint8Array(1024), Pem.Authority);
    expect(source.length()).toBe(size);
    for (const step of [64, 255, 1024, 4096]) {
      let read = "";
      for (let at = 0; at < size; at += step) {
        const count = Math.min(step, size - at);
        const to = new Uint8Array(count + 2).fill(1);
        source.read(at, to, 1, count);
        expect([to[0], to[count + 1]]).toEqual([1, 1]);
        read += new TextDecoder().decode(to.subarray(1, count + 1));
      }
      expect(read).toBe(text);
    }
    const digest = createDigest();
    while (!digestMore(digest, storage, Pem.Authority, new Uint8Array(1024)));
    expect(digest.length).toBe(size);
  });
});
