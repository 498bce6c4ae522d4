import { describe, expect, test } from "vitest";
import { createJournal, Happening, note, reasonOf, writeEvent } from "../../../firmware/board/journal";
import { keyOf, SETTING_KEYS } from "../../../firmware/board/setting-fields";
import { SIZES } from "../../../firmware/board/sizes";
import { VERSION } from "../../../firmware/board/version";
import { LinkLoss } from "../../../firmware/core/link";
import { createWriter, written } from "../../../firmware/core/writer";
import { Fault } from "../../../firmware/mqtt/client-state";
import { Trust } from "../../../firmware/wifi/module";
import { Rig } from "./rig";
import { boardAndTerminal, PROMPT, recordOf, settingsOf, Terminal } from "./terminal";
import { QueueNumber } from "../../../hal/hal";
import { queueNumber } from "../../../hal/node/native";

const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\nmqtt.port=1883\n";

describe("at boot the console", () => {
  test("says what runs, as whom and why, and prompts", () => {
    const { terminal } = boardAndTerminal();
    expect(terminal.screen).toBe(`moth ${VERSION}: sensor-board as t1, started by power-on\r\n${PROMPT}`);
  });

  test("works on a board that was never told anything, and a reset makes it one that runs", () => {
    const { rig, terminal } = boardAndTerminal({}, "");
    expect(terminal.screen).toContain("as nobody yet,");
    expect(terminal.askMap("status").get("problem")).toBe("setting device: give 1 to 32 letters, digits, _ or -");
    for (const line of SETTINGS.trim().split("\n")) expect(terminal.ask(`set ${line}`).at(-1)).toBe("ok");
    expect(terminal.ask("reset", 100)).toEqual(["ok"]);
    rig.seconds(5);
    expect(terminal.look().screen).toContain("sensor-board as t1, started by restart\r\n");
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
  });

  test("works on a board whose application is wrong", () => {
    const { terminal } = boardAndTerminal({}, SETTINGS.replace("device=t1", "device=a/b"));
    expect(terminal.askMap("status").get("wifi")).toBe("off");
  });
});

describe("status", () => {
  test("tells who, how and how much, each on a line of its own", () => {
    const { rig, terminal } = boardAndTerminal({ machine: { id: "e66118604b1f2a34" } });
    rig.seconds(56);
    rig.order("relay/set", "ON");
    rig.order("relay/set", "perhaps");
    const published = rig.board.client.stats.published;
    const status = terminal.askMap("status");
    expect(Object.fromEntries(status)).toMatchObject({
      name: "sensor-board",
      version: VERSION,
      device: "t1",
      id: "e66118604b1f2a34",
      uptime: "61",
      start: "power-on",
      crash: "",
      problem: "",
      wifi: "joined bench",
      mqtt: "online at broker",
      "dropped.oldest": "0",
      "dropped.older": "0",
      "dropped.qos0": "0",
      queued: "0",
      received: "3",
      commands: "1",
      "commands.refused": "1",
      sessions: "1",
      "serial.lost": "0",
      "console.lost": "0",
      "console.dropped": "0",
    });
    expect(status.get("published")).toBe(String(published));
    expect(status.get("acknowledged")).toBe(String(published - 1));
    expect(status.get("queued.high")).toBe(String(queueNumber(rig.board.client.outbox.queue, QueueNumber.HighCount)));
  });

  test("tells what Wi-Fi and MQTT are at", () => {
    const rig = new Rig();
    const terminal = new Terminal(rig);
    rig.bench.air.up = false;
    rig.bench.machine.powerOn();
    rig.seconds(0.2);
    expect(terminal.look().askMap("status").get("wifi")).toMatch(/the module$/);
    rig.seconds(10);
    expect(terminal.askMap("status").get("wifi")).toBe("joining bench");
    rig.broker.stop();
    rig.bench.air.up = true;
    rig.seconds(90);
    expect(terminal.askMap("status").get("wifi")).toBe("joined bench");
    expect(terminal.askMap("status").get("mqtt")).toMatch(/^(waiting for the next try|connecting to broker)$/);
    expect(Number(terminal.askMap("status").get("queued"))).toBeGreaterThan(10);
  });
});

describe("settings", () => {
  test("are shown as they are while a number is saved, by way of the same buffer", () => {
    const { rig, terminal } = boardAndTerminal();
    const calm = terminal.ask("settings").join("\r\n");
    // Behind so much that they are shown line by line, as the terminal takes them in, and 5 s after the order.
    const busy = "help\r".repeat(4);
    for (let early = 400; early >= 0; early -= 20) {
      rig.broker.publish("moth/t1/interval/set", String(1000 + early), { qos: 1 });
      rig.clock.runFor(5000 - early);
      expect(terminal.type(`${busy}settings\r`, 1000).screen.endsWith(`settings\r\n${calm}\r\n${PROMPT}`)).toBe(true);
      expect(recordOf(rig, 1)).toBe(`interval=${1000 + early}\n`);
    }
  });

  test("are shown, all of them, secrets only as set or not", () => {
    const { terminal } = boardAndTerminal({}, `${SETTINGS}mqtt.user=moth\nmqtt.password=hunter2\nwifi2.ssid=two words\n`);
    const shown = terminal.askMap("settings");
    expect([...shown.keys()]).toEqual([...SETTING_KEYS.map((key) => key.slice(0, -1)), "ca", "cert", "key"]);
    expect(Object.fromEntries(shown)).toMatchObject({
      device: "t1",
      "wifi.password": "(set)",
      "wifi2.ssid": "two words",
      "wifi2.password": "(none)",
      "mqtt.user": "moth",
      "mqtt.password": "(set)",
      ca: "(none)",
    });
  });

  test("that are secret are never on the screen, whatever is asked", () => {
    const secrets = ["alpha-secret", "beta-secret", "gamma-secret"];
    const { rig, terminal } = boardAndTerminal();
    terminal.ask("log on");
    terminal.ask(`set wifi.password=${secrets[0] ?? ""}`);
    terminal.ask(`set mqtt.password=${secrets[1] ?? ""}`);
    terminal.ask(`set mqtt.pasword=${secrets[2] ?? ""}`);
    terminal.ask(`SET  mqtt.password=${secrets[2] ?? ""}`);
    terminal.ask(`   set   mqtt.password=${secrets[1] ?? ""}`);
    // An event in the middle of it has the line shown anew.
    terminal.type(`set mqtt.password=${secrets[1] ?? ""}`);
    rig.order("relay/set", "x");
    terminal.type("\r");
    for (const command of ["status", "settings", "log", "help"]) terminal.ask(command);
    terminal.type("reset\r", 6000);
    expect(settingsOf(rig)).toContain("mqtt.password=beta-secret\n");
    for (const secret of secrets) expect(terminal.screen).not.toContain(secret);
  });
});

describe("set", () => {
  test("writes storage at once, says so, and takes effect after a reset", () => {
    const { rig, terminal } = boardAndTerminal();
    expect(terminal.ask("set device=t2")).toEqual(["device=t2", "takes effect after reset", "ok"]);
    expect(settingsOf(rig)).toContain("device=t2\n");
    expect(settingsOf(rig)).not.toContain("device=t1");
    rig.seconds(10);
    expect(rig.board.device).toBe("t1");
    terminal.type("reset\r");
    rig.seconds(5);
    expect(rig.board.device).toBe("t2");
    expect(rig.broker.retainedText("moth/t2/availability")).toBe("online");
  });

  test("replaces, adds and clears, and leaves the other settings as they are", () => {
    const { rig, terminal } = boardAndTerminal({}, `${SETTINGS}my.own=thing`);
    terminal.ask("set mqtt.user= a=b ");
    terminal.ask("set wifi.password=");
    terminal.ask("set mqtt.port=8883");
    expect(settingsOf(rig).split("\n").sort()).toEqual(
      ["", "device=t1", "mqtt.host=broker", "mqtt.port=8883", "mqtt.user= a=b ", "my.own=thing", "wifi.ssid=bench"],
    );
    expect(terminal.askMap("settings").get("mqtt.user")).toBe(" a=b ");
    terminal.ask("set mqtt.user=");
    expect(settingsOf(rig)).not.toContain("mqtt.user");
  });

  test("shows what storage has, not what was typed", () => {
    const { rig, terminal } = boardAndTerminal();
    rig.bench.storage.save = () => {
      rig.bench.storage.provision(0, SETTINGS.replace("t1", "other"));
      return true;
    };
    expect(terminal.ask("set device=t2").at(0)).toBe("device=other");
  });

  test("repairs settings that are damaged", () => {
    const { rig, terminal } = boardAndTerminal({}, "x".repeat(1025));
    expect(rig.board.problem).toContain("damaged");
    for (const line of SETTINGS.trim().split("\n")) terminal.ask(`set ${line}`);
    terminal.type("reset\r", 5000);
    expect(rig.board.problem).toBe("");
  });

  test.each([
    ["set", 'no "=" in it: write set KEY=VALUE, for example set wifi.ssid=barn'],
    ["set device", 'no "=" in it: write set KEY=VALUE, for example set wifi.ssid=barn'],
    ["set wifi.sid=a", "no such setting: there are device, wifi.ssid, "],
    ["set wifi4.ssid=a", "no such setting: there are device, "],
    ["set =a", "no such setting: there are device, "],
    ["set device=", "device: give 1 to 32 letters, digits, _ or -"],
    ["set device=a b", "device: give 1 to 32 letters, digits, _ or -"],
    ["set wifi.ssid=", "wifi.ssid: give 1 to 32 bytes"],
    [`set wifi2.ssid=${"x".repeat(33)}`, "wifi2.ssid: give at most 32 bytes"],
    [`set wifi3.password=${"x".repeat(65)}`, "wifi3.password: give at most 64 bytes"],
    ["set wifi.baud=fast", "wifi.baud: give 1200 to 5000000"],
    ["set mqtt.host=", "mqtt.host: give a host name or an address, 1 to 64 characters"],
    ["set mqtt2.host=a/b", "mqtt2.host: give a host name or an address, 1 to 64 characters"],
    ["set mqtt3.port=65536", "mqtt3.port: give 1 to 65535"],
    [`set mqtt.user=${"x".repeat(129)}`, "mqtt.user: give at most 128 bytes"],
    [`set mqtt.password=${"x".repeat(129)}`, "mqtt.password: give at most 128 bytes"],
    ["set ca=abc", "ca: comes in pieces: write set NAME.0=BASE64"],
    ["set key=abc", "key: comes in pieces: write set NAME.0=BASE64"],
    ["set cab=abc", "no such setting: there are device"],
    ["set wifi.power-save=yes", "wifi.power-save: give on or off"],
    ["set mqtt.tls=yes", "mqtt.tls: give on or off"],
    ["set time.server=a b", "time.server: give a host name or an address, 1 to 64 characters"],
  ])("%j is refused, says what is right, and changes nothing", (command, error) => {
    const { rig, terminal } = boardAndTerminal();
    const before = settingsOf(rig);
    const answer = terminal.ask(command);
    expect(answer).toEqual([expect.stringContaining(`error: ${error}`)]);
    expect(settingsOf(rig)).toBe(before);
    expect(rig.bench.storage.writes[0]).toBe(0);
  });

  test("takes bytes that are no UTF-8 for no name", () => {
    const { terminal } = boardAndTerminal();
    terminal.type(Uint8Array.from([...Buffer.from("set wifi.ssid=a"), 0xff, 0x0d]));
    expect(terminal.screen).toContain("error: wifi.ssid: give 1 to 32 bytes");
  });

  test("says when the storage does not take it, and keeps the old settings", () => {
    const { rig, terminal } = boardAndTerminal();
    const before = settingsOf(rig);
    rig.bench.storage.save = () => false;
    const failed = ["error: the storage did not take it, the old settings stand: try again"];
    expect(terminal.ask("set device=t2")).toEqual(failed);
    expect(terminal.ask("set wifi.password=")).toEqual(failed);
    expect(settingsOf(rig)).toBe(before);
    expect(terminal.askMap("settings").get("device")).toBe("t1");
  });

  test("says when all settings together are too long, and keeps the old ones", () => {
    const long = "x".repeat(SIZES.settings - SETTINGS.length - "a=\n".length);
    const { rig, terminal } = boardAndTerminal({}, `${SETTINGS}a=${long}\n`);
    const before = settingsOf(rig);
    expect(terminal.ask("set device=t12")).toEqual([
      "error: all settings together take at most 1024 bytes, the old ones stand: shorten some",
    ]);
    expect(settingsOf(rig)).toBe(before);
    expect(terminal.ask("set device=tt").at(-1)).toBe("ok");
  });
});

describe("log", () => {
  test("has what happened, with the seconds since power-on and the reason", () => {
    const { rig, terminal } = boardAndTerminal();
    rig.seconds(6);
    rig.order("relay/set", "x");
    rig.broker.stop();
    rig.seconds(30);
    rig.broker.start({ keep: false });
    rig.seconds(60);
    rig.bench.air.up = false;
    rig.seconds(10);
    rig.bench.air.up = true;
    rig.seconds(60);
    terminal.ask("set mqtt.user=me");
    const log = terminal.ask("log");
    expect(log.pop()).toBe("ok");
    const events = log.map((line) => line.replace(/^\d+ s /, ""));
    expect(events.slice(0, 5)).toEqual([
      "started by power-on",
      "joined bench",
      "online at broker",
      "refused the command relay/set",
      "lost broker: closed by the broker",
    ]);
    expect(events).toContain("no session at broker: the broker cannot be reached");
    expect(events).toContain("lost the Wi-Fi bench");
    expect(events.filter((event) => event === "online at broker")).toHaveLength(3);
    expect(events.at(-1)).toBe("settings changed at the console");
    const times = log.map((line) => Number(line.split(" ")[0]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(160);
  });

  test("keeps the newest when there are more than it has room for", () => {
    const { rig, terminal } = boardAndTerminal();
    for (let i = 0; i < SIZES.journal + 5; i++) rig.order("interval/set", "never");
    const log = terminal.ask("log");
    expect(log).toHaveLength(SIZES.journal + 1);
    expect(new Set(log.slice(0, -1).map((line) => line.replace(/^\d+ s /, "")))).toEqual(
      new Set(["refused the command interval/set"]),
    );
  });

  test("tells seconds and numbers as they were, however large", () => {
    const journal = createJournal({ seconds: 2_000_000_123, counted: 0 }, 2, () => "");
    note(journal, Happening.JoinFailed, "barn", 2);
    note(journal, Happening.SessionLost, "broker", reasonOf(Fault.Refused, 5, LinkLoss.Peer, Trust.NotAsked));
    const writer = createWriter(new Uint8Array(200));
    writeEvent(writer, journal, 0);
    writeEvent(writer, journal, 1);
    expect(new TextDecoder().decode(Uint8Array.from(writer.bytes).subarray(0, written(writer)))).toBe(
      "2000000123 s cannot join barn: wrong password2000000123 s lost broker: not authorised",
    );
  });

  test("on tells events as they happen and shows the line that is being typed again; off ends that", () => {
    const { rig, terminal } = boardAndTerminal();
    expect(terminal.ask("log on")).toEqual(["ok"]);
    terminal.type("set wifi.password=abc");
    rig.order("relay/set", "x");
    expect(terminal.look().screen).toMatch(/\r\u001b\[K\* \d+ s refused the command relay\/set\r\nmoth> set wifi.password=\*\*\*$/);
    terminal.type("\u0015");
    expect(terminal.ask("log off")).toEqual(["ok"]);
    const before = terminal.screen;
    rig.order("relay/set", "x");
    expect(terminal.look().screen).toBe(before);
  });

  test("takes on, off and nothing else", () => {
    const { terminal } = boardAndTerminal();
    expect(terminal.ask("log all")).toEqual(["error: log: write log, log on or log off"]);
  });

  test.each([
    [2, "device=t1\nwifi.ssid=bench\nwifi.password=wrong\n", "cannot join bench: wrong password"],
    [30, "device=t1\nwifi.ssid=nowhere\n", "cannot join nowhere: no such network"],
  ])("says why a network cannot be joined", (_seconds, wifi, says) => {
    const { rig, terminal } = boardAndTerminal({}, `${wifi}mqtt.host=broker\n`);
    rig.seconds(20);
    expect(terminal.ask("log").join("\n")).toContain(says);
  });
});

describe("reset, bootloader and help", () => {
  test("reset answers, then starts the board anew", () => {
    const { rig, terminal } = boardAndTerminal();
    const before = rig.board;
    expect(terminal.ask("reset", 100)).toEqual(["ok"]);
    expect(rig.board).toBe(before);
    rig.seconds(5);
    expect(rig.board).not.toBe(before);
    expect(terminal.look().screen).toContain("started by restart");
    expect(rig.broker.retainedText("moth/t1/availability")).toBe("online");
  });

  test("bootloader leaves for it", () => {
    let left = 0;
    const { rig, terminal } = boardAndTerminal({ machine: { onBootLoader: () => left++ } });
    terminal.type("bootloader\r", 100);
    expect(left).toBe(0);
    expect(terminal.screen).toMatch(/bootloader\r\nleaving for the boot loader.*\r\n$/);
    rig.seconds(1);
    expect(left).toBe(1);
  });

  test("bootloader says where there is none", () => {
    const { terminal } = boardAndTerminal();
    expect(terminal.ask("bootloader").at(-1)).toBe("error: this board has no boot loader to go to: use its buttons");
    expect(terminal.ask("status").at(-1)).toBe("ok");
  });

  test("help names every command", () => {
    const { terminal } = boardAndTerminal();
    const help = terminal.ask("help").join("\n");
    for (const command of ["status", "settings", "set KEY=VALUE", "set ca.0=BASE64", "log", "reset", "bootloader"]) {
      expect(help).toContain(`${command} `);
    }
    expect(help).toContain("cert.0 and key.0: the board's own");
  });

  test.each(["foo", "Status", "status now", "statuss", "help me", "reset now", "?"])("%j is told what is right", (wrong) => {
    const { terminal } = boardAndTerminal();
    expect(terminal.ask(wrong)).toEqual([
      "error: no such command: there are status, settings, set KEY=VALUE, log, reset, bootloader and help",
    ]);
  });
});

describe("a line", () => {
  test.each([
    ["CR", "log off\r"],
    ["LF", "log off\n"],
    ["CR and LF", "log off\r\n"],
  ])("ends with %s, once", (_name, text) => {
    const { terminal } = boardAndTerminal();
    const before = terminal.screen.length;
    terminal.type(text);
    expect(terminal.screen.slice(before)).toBe(`log off\r\nok\r\n${PROMPT}`);
  });

  test("that is empty gets a prompt", () => {
    const { terminal } = boardAndTerminal();
    terminal.type("\r\n \n\n\r");
    expect(terminal.screen.endsWith(`${PROMPT}\r\n${PROMPT} \r\n${PROMPT}\r\n${PROMPT}\r\n${PROMPT}`)).toBe(true);
  });

  test.each([
    ["backspace", "lox\bg off\r"],
    ["delete", "lox\u007fg off\r"],
    ["more backspaces than characters", "\b\b\blog off\r"],
    ["a character of several bytes, taken back whole", "log é\b€\boff\r"],
    ["Ctrl-U", "nonsense\u0015log off\r"],
    ["an arrow key", "log\u001b[A off\r"],
    ["a key with parameters", "log o\u001b[1;5Cff\r"],
    ["a function key", "log o\u001bOPff\r"],
    ["Alt and a letter", "log o\u001bxff\r"],
    ["an escape that nothing follows", "log off\u001b\r"],
    ["a tab and other controls", "log\t\u0001\u0000 off\r"],
    ["spaces around", "   log    off\r"],
  ])("takes %s", (_name, text) => {
    const { terminal } = boardAndTerminal();
    terminal.type(text);
    expect(terminal.screen.endsWith(`\r\nok\r\n${PROMPT}`)).toBe(true);
    expect(terminal.screen).not.toContain("error");
  });

  test("is thrown away by Ctrl-C", () => {
    const { rig, terminal } = boardAndTerminal();
    terminal.type("set device=t9\u0003");
    expect(terminal.screen.endsWith(`set device=t9^C\r\n${PROMPT}`)).toBe(true);
    expect(terminal.ask("log off")).toEqual(["ok"]);
    expect(settingsOf(rig)).toContain("device=t1");
  });

  test("shows a backspace", () => {
    const { terminal } = boardAndTerminal();
    terminal.type("ab\b");
    expect(terminal.screen.endsWith(`${PROMPT}ab\b \b`)).toBe(true);
  });

  test("passes UTF-8 through", () => {
    const { rig, terminal } = boardAndTerminal();
    expect(terminal.ask("set wifi.ssid=Café ☕").at(0)).toBe("wifi.ssid=Café ☕");
    expect(settingsOf(rig)).toContain("wifi.ssid=Café ☕\n");
  });

  test.each([
    ["set wifi.password=abé", "set wifi.password=***"],
    ["set mqtt.password=a=b", "set mqtt.password=***"],
    ["set wifi.ssid=a=b", "set wifi.ssid=a=b"],
    ["set wifi.passwort=abc", "set wifi.passwort=***"],
    ["set ca.3=AAAA", "set ca.3=AAAA"],
    ["set wifi.password=ab\b\b\b\b=cd", "set wifi.password=**\b \b\b \b\b \b\b \b=**"],
  ])("%j is echoed as %j", (typed, echoed) => {
    const { terminal } = boardAndTerminal();
    terminal.type(typed);
    expect(terminal.screen.endsWith(`${PROMPT}${echoed}`)).toBe(true);
  });

  test("that is too long is an error, does nothing, and the next one is obeyed", () => {
    const { rig, terminal } = boardAndTerminal();
    const [answer] = terminal.ask(`set device=${"x".repeat(400)}`);
    expect(answer).toBe("error: the line is longer than 384 bytes and was not obeyed: send less at a time");
    expect(terminal.ask("log off")).toEqual(["ok"]);
    expect(rig.bench.storage.writes[0]).toBe(0);
  });

  test("of which bytes were lost on the way is not obeyed", () => {
    const { rig, terminal } = boardAndTerminal();
    const { host } = rig.bench.console;
    let lost = 0;
    Object.defineProperty(host, "lost", { get: () => lost });
    terminal.type("set device=");
    lost = 3;
    terminal.type("t9\r");
    expect(terminal.screen).toContain("error: bytes of the line were lost and it was not obeyed: send it again");
    expect(terminal.ask("set device=t9").at(-1)).toBe("ok");
    expect(settingsOf(rig)).toContain("device=t9");
  });
});

describe("a terminal that does not read", () => {
  test("never holds the board up; the answer waits, echo and events are dropped and counted", () => {
    const { rig, terminal } = boardAndTerminal();
    const { host } = rig.bench.console;
    const write = host.write.bind(host);
    let open = false;
    host.write = (bytes, at, count) => (open ? write(bytes, at, count) : 0);
    terminal.type("log on\rstatus\r");
    for (let i = 0; i < 40; i++) rig.order("relay/set", "x");
    rig.order("relay/set", "ON");
    expect(rig.bench.world.pinLevel(2)).toBe(true);
    expect(rig.board.client.stats.losses).toBe(0);
    const before = rig.said("telemetry").length;
    rig.seconds(60);
    expect(rig.said("telemetry").length).toBe(before + 12);
    open = true;
    rig.seconds(1);
    const lines = terminal.look().screen.split("\r\n");
    expect(lines).toContain("name=sensor-board");
    expect(terminal.ask("log off")).toEqual(["ok"]);
    expect(Number(terminal.askMap("status").get("console.dropped"))).toBeGreaterThan(30);
  });

  test("does not hold up a reset", () => {
    const { rig, terminal } = boardAndTerminal();
    const before = rig.board;
    rig.bench.console.host.write = () => 0;
    terminal.type("reset\r", 5000);
    expect(rig.board).not.toBe(before);
  });
});

describe("a flood at the console", () => {
  test("is answered line by line, and the board goes on with its work", () => {
    const { rig, terminal } = boardAndTerminal();
    for (let i = 0; i < 200; i++) terminal.type("log off\r", 20);
    rig.seconds(1);
    expect(terminal.look().screen.split("ok\r\n")).toHaveLength(201);
    expect(rig.board.client.stats.losses).toBe(0);
  });
});

test("keyOf gives nothing for a number that is no setting", () => {
  expect(keyOf(99)).toBe("");
});
