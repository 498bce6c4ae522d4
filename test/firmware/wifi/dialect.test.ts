/** Which dialect a module speaks, by what it tells and by what it refuses. */
import { describe, expect, it } from "vitest";
import { dialectOf, ESP_AT_2, NONOS, type Dialect } from "../../../firmware/wifi/esp-at-dialect";
import { allocate, putText, textLength } from "../../../hal/node/native";
import { ScriptedModule, SETUP_COMMANDS } from "./scripted-module";

function dialect(line: string): Dialect | undefined {
  const bytes = allocate(200);
  putText(bytes, 3, line);
  return dialectOf(bytes, 3, textLength(line));
}

const OK = "\r\nOK\r\n";

describe("the version that a module tells", () => {
  it.each([
    ["AT version:0.40.0.0(Aug  8 2015 14:45:58)", 2048, false, ",60"],
    ["AT version:1.7.4.0(May 11 2020 19:13:04)", 2048, false, ",60"],
    ["AT version:2.0.0.0(e98993f - ESP8266 - Dec 24 2020)", 2048, true, ",60"],
    ["AT version:2.2.1.0(4f2a9c1 - ESP8266 - Jul 14 2022)", 2048, true, ",60"],
    ["AT version:2.4.0.0(4c6eb5e - ESP32C3 - May 20 2022)", 8192, true, ",60"],
    ["AT version:3.3.0.0(3b13d04 - ESP32C6 - May 9 2024)", 8192, true, ",60"],
    ["AT version:4.0.0.0(a - ESP32C2 - b)", 8192, true, ",60"],
    ["AT version:4.1.1.0(a - ESP32C3 - b)", 8192, true, ",60,,15000"],
    ["AT version:5.0.1.0(1f2e3d4 - ESP32C3 - Jul 24 2026)", 8192, true, ",60,,15000"],
    ["AT version:12.0.0.0(from the future)", 8192, true, ",60,,15000"],
  ] as const)("%s", (line, maxSend, cancels, connect) => {
    expect(dialect(line)).toMatchObject({ maxSend, cancels, connect });
  });

  it.each(["AT version:", "AT version:x.y", "AT version:2", "AT version:.1.2", "AT version:-1.2.3"])("is none in %s", (line) => {
    expect(dialect(line)).toBeUndefined();
  });
});

describe("a module that tells no version", () => {
  it("is taken for NonOS when it knows nothing of AT+SYSSTORE, and spoken to accordingly", () => {
    const rig = new ScriptedModule();
    rig.boot();
    for (const command of SETUP_COMMANDS.slice(0, 2)) rig.answer(command, OK);
    rig.answer("AT+SYSSTORE=0", "\r\nERROR\r\n");
    rig.answer("AT+CWMODE_CUR=1", OK);
    for (const command of SETUP_COMMANDS.slice(4)) rig.answer(command, OK);
    rig.answer("AT+SLEEP=0", OK);
    rig.expectCommand('AT+CWJAP_CUR="home","secret"');
    expect(rig.esp.dialect).toBe(NONOS);
  });

  it("is asked again after a resync: the refusal may have been about something else", () => {
    const rig = new ScriptedModule();
    rig.boot();
    for (const command of SETUP_COMMANDS.slice(0, 2)) rig.answer(command, OK);
    rig.answer("AT+SYSSTORE=0", "\r\nERROR\r\n");
    for (let doubt = 0; doubt < 2; doubt++) {
      expect(rig.waitForCommand(100)).toContain("AT+CWMODE_CUR=1");
      rig.say("\r\nERROR\r\n");
      rig.answer("AT+CWQAP", OK);
      rig.answer("AT+CWMODE_CUR=1", "\r\nERROR\r\n");
      if (doubt === 1) break;
      for (let probe = 0; probe < 2; probe++) {
        expect(rig.waitForCommand(200)).toBe("AT\r\n");
        rig.say(OK);
      }
      for (const command of SETUP_COMMANDS.slice(0, 2)) rig.answer(command, OK);
      expect(rig.esp.dialect).toBe(ESP_AT_2);
      rig.answer("AT+SYSSTORE=0", "\r\nERROR\r\n");
    }
    expect(rig.resets.at(-1)?.held).toBe(true);
  });

  it("and was misheard as NonOS, which it is not, is asked again: it would refuse what it is told for ever", () => {
    const rig = new ScriptedModule();
    rig.boot();
    rig.answer("ATE0", OK);
    rig.answer("AT+GMR", `AT version:1.0.1.0(x)\r\n${OK}`);
    rig.answer("AT+CWMODE_CUR=1", "\r\nERROR\r\n");
    rig.answer("AT+CWQAP", OK);
    rig.answer("AT+CWMODE_CUR=1", "\r\nERROR\r\n");
    for (let probe = 0; probe < 2; probe++) {
      expect(rig.waitForCommand(200)).toBe("AT\r\n");
      rig.say(OK);
    }
    rig.answer("ATE0", OK);
    rig.answer("AT+GMR", `AT version:5.0.1.0(x)\r\n${OK}`);
    for (const command of SETUP_COMMANDS.slice(2)) rig.answer(command, OK);
    rig.expectCommand('AT+CWJAP="home","secret"');
  });

  it("and does not answer the question at all is not asked it a second time", () => {
    const rig = new ScriptedModule();
    rig.boot();
    rig.answer("ATE0", OK);
    rig.expectCommand("AT+GMR");
    rig.advance(1_500);
    expect(rig.waitForCommand(200)).toBe("+++");
    for (let probe = 0; probe < 2; probe++) {
      expect(rig.waitForCommand(200)).toBe("AT\r\n");
      rig.say(OK);
    }
    rig.answer("ATE0", OK);
    rig.expectCommand("AT+SYSSTORE=0");
  });
});

describe("NonOS", () => {
  /** A NonOS module with a link. */
  function nonos(resetLine = true, passive = true): ScriptedModule {
    const rig = new ScriptedModule({ resetLine });
    if (resetLine) {
      rig.boot();
    } else {
      for (let probe = 0; probe < 2; probe++) {
        rig.waitForCommand(200);
        rig.say(OK);
      }
    }
    rig.answer("ATE0", OK);
    rig.answer("AT+GMR", `AT version:1.${passive ? 7 : 3}.0.0(x)\r\nSDK version:3.0.4\r\n${OK}`);
    rig.answer("AT+CWMODE_CUR=1", OK);
    for (const command of SETUP_COMMANDS.slice(4, -1)) rig.answer(command, OK);
    rig.answer("AT+CIPRECVMODE=1", passive ? OK : "\r\nERROR\r\n");
    if (!passive) rig.answer("AT+CIPRECVTYPE=5,1", "\r\nERROR\r\n");
    rig.answer("AT+SLEEP=0", OK);
    rig.answer('AT+CWJAP_CUR="home","secret"', `WIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
    rig.open();
    rig.signal = undefined;
    return rig;
  }

  it("has its data taken by its own header", () => {
    const rig = nonos();
    rig.say("\r\n+IPD,0,5\r\n");
    rig.answer("AT+CIPRECVDATA=0,512", `\r\n+CIPRECVDATA,5:OK\r\nx${OK}`);
    expect(rig.user.receivedText).toBe("OK\r\nx");
  });

  it("with a send that may be pending is reset by pin: what it is fed would go to the peer", () => {
    const rig = nonos();
    rig.send("x".repeat(40));
    rig.expectCommand("AT+CIPSEND=0,40");
    rig.advance(5_010);
    expect(rig.take()).toBe("");
    expect(rig.resets.at(-1)?.held).toBe(true);
    expect(rig.user.losses).toEqual(["Module"]);
  });

  it("without a reset pin is fed zeros, exactly as many as it may be waiting for", () => {
    const rig = nonos(false);
    rig.send("x".repeat(450));
    rig.expectCommand("AT+CIPSEND=0,450");
    rig.advance(5_000);
    let fed = "";
    while (fed.length < 452) fed += rig.waitForCommand(300);
    expect(fed).toBe(`${"\0".repeat(450)}\r\n`);
    rig.say("\r\nRecv 450 bytes\r\n\r\nSEND OK\r\n\r\nERROR\r\n");
    for (let probe = 0; probe < 2; probe++) {
      expect(rig.waitForCommand(500)).toBe("AT\r\n");
      rig.say(OK);
    }
    rig.expectCommand("ATE0");
    expect(rig.resets).toEqual([]);
  });

  it("before 1.7 hands data over unasked: it is taken by its count, whatever it looks like, and no line end follows", () => {
    const rig = nonos(true, false);
    rig.say('\r\n+IPD,0,6:OK\r\n> ');
    rig.say("\r\n+IPD,0,3,192.168.1.9,1883:a:b");
    rig.sayByteByByte("\r\n+IPD,0,4:+IPDWIFI CONNECTED\r\n");
    expect(rig.user.receivedText).toBe("OK\r\n> a:b+IPD");
    expect(rig.user.state).toBe("up");
  });

  it("before 1.7 loses the link when there is no room for what comes, or when what comes makes no sense", () => {
    for (const said of ["\r\n+IPD,0,600:", "\r\n+IP0,4:abcd\r\n"]) {
      const rig = nonos(true, false);
      rig.user.capacity = 100;
      rig.say(said + "x".repeat(600));
      rig.say("\r\n");
      expect(rig.user.losses).toEqual(["Damaged"]);
    }
  });
});
