import { describe, expect, test } from "vitest";
import { boardOn } from "../../../firmware/board/board-on";
import { LinkState, type Link } from "../../../firmware/core/link";
import { createWifiStatus, JoinFailure, Way, type WifiFamily, WifiLoss, type WifiStatus } from "../../../firmware/wifi/module";
import { Rig } from "./rig";
import { Terminal } from "./terminal";

/** A module of no family that there is: it is always about to join. */
class Dreamer {
  readonly calls: string[] = [];
  status: WifiStatus | undefined;

  readonly family: WifiFamily = (_hal, options, events) => {
    const { calls } = this;
    const status = createWifiStatus(options.networks[0]?.ssid ?? "", options.baud);
    this.status = status;
    const link: Link = {
      state: LinkState.Down,
      attach: () => calls.push("attach"),
      open: (host, port) => calls.push(`open ${host}:${port}`),
      close: () => calls.push("close"),
    };
    return {
      link,
      status,
      receive: (now) => {
        if (status.way === Way.Off) events.joinFailed(now, "bench", JoinFailure.WrongPassword);
        status.way = Way.Joining;
        calls.push("receive");
      },
      pump: () => calls.push("pump"),
      wait: () => 100,
    };
  };
}

describe("a board at a module of another family", () => {
  function started(): { rig: Rig; module: Dreamer } {
    const module = new Dreamer();
    const application = boardOn(module.family, {
      name: "dream", readings: {}, relays: {}, rules: {},
      numbers: { every: { unit: "s", min: 1, max: 60, initial: 5 } },
      telemetry: { every: "every", fields: ["seq"] },
    });
    return { rig: new Rig({ application }).start(), module };
  }

  test("turns that family's driver, and asks it for a link to the broker", () => {
    const { rig, module } = started();
    expect(rig.board.problem).toBe("");
    expect(module.calls.slice(0, 2)).toEqual(["attach", "receive"]);
    expect(module.calls).toContain("open broker:1883");
    expect(module.calls.filter((call) => call === "receive").length).toBeGreaterThan(20);
    expect(module.calls.filter((call) => call === "pump").length).toBe(module.calls.filter((call) => call === "receive").length);
  });

  test("tells at its console how the module is doing", () => {
    const { rig, module } = started();
    const { status } = module;
    if (status === undefined) throw new Error("the family was not asked for a module");
    status.signal = -67;
    status.joinFailure = JoinFailure.WrongPassword;
    status.loss = WifiLoss.Silent;
    status.baud = 460800;
    status.holdOffs = 3;
    const terminal = new Terminal(rig);
    const told = terminal.askMap("status");
    expect(Object.fromEntries(told)).toMatchObject({
      wifi: "joining bench",
      "wifi.signal": "-67",
      "wifi.failure": "wrong password",
      "wifi.loss": "the module did not answer",
      "module.baud": "460800",
      "module.pauses": "3",
    });
    expect(terminal.ask("log").join("\n")).toContain("cannot join bench: wrong password");
  });
});
