import { describe, expect, test } from "vitest";
import { PERSONALITIES, type PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

function ready(name: PersonalityName): Bench {
  return Bench.ready(1, {}, name);
}

describe("the three generations", () => {
  test("are called what users write", () => {
    expect(Object.keys(PERSONALITIES)).toEqual(NAMES);
    expect(Object.values(PERSONALITIES).map(({ name, chip }) => [name, chip])).toEqual([
      ["nonos-1.7", "ESP8266"], ["esp-at-2.2", "ESP8266"], ["esp-at-5", "ESP32-C3"],
    ]);
  });

  test.each([
    ["nonos-1.7", /^AT version:1\.7\.\d\.\d\([^-]+\)\r\nSDK version:3\.\S+\r\ncompile time:.+\r\n/],
    ["esp-at-2.2", /^AT version:2\.2\.1\.0\(\w+ - ESP8266 - .+\)\r\nSDK version:.+\r\ncompile time\(.+\r\nBin version:/],
    ["esp-at-5", /^AT version:5\.\S+\(\w+ - ESP32C3 - .+\)\r\nSDK version:.+\r\ncompile time.+\r\nBin version:/],
  ] as const)("%s tells its versions", (name, version) => {
    const reply = ready(name).ask("AT+GMR");
    expect(reply).toMatch(version);
    expect(reply.endsWith(`\r\n${OK}`)).toBe(true);
  });

  test.each([
    ["nonos-1.7", ["CWMODE_CUR?", "CWMODE_DEF?", "CIPSTA_CUR?", "CWJAP_CUR?", "CIPSTATUS"],
      ["SYSSTORE?", "SYSLOG?", "CWSTATE?", "CIPSTATE?", "CIPTCPOPT?", "CIPRECVTYPE?", "CWRECONNCFG?"]],
    ["esp-at-2.2", ["SYSSTORE?", "SYSLOG?", "CWSTATE?", "CIPSTATE?", "CIPSTATUS", "CIPTCPOPT?", "CWRECONNCFG?"],
      ["CWMODE_CUR?", "CWJAP_DEF?", "CIPRECVTYPE?"]],
    ["esp-at-5", ["SYSSTORE?", "CWSTATE?", "CIPSTATE?", "CIPSTATUS", "CIPRECVTYPE?"], ["CWMODE_CUR?", "CWJAP_DEF?"]],
  ] as const)("%s has its own commands, and not those of others", (name, own, others) => {
    const bench = ready(name);
    for (const command of own) {
      expect([command, bench.ask(`AT+${command}`)]).toEqual([command, expect.stringMatching(/\r\nOK\r\n$/)]);
    }
    for (const command of others) {
      expect([command, bench.ask(`AT+${command}`)]).toEqual([command, ERROR]);
    }
  });
});
