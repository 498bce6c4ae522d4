import { fellOver } from "../observer";
import { SleepMode, type Personality } from "../personality";
import { espAtCommands, espAtStrings } from "./shared";

/** Clock of the ESP8266's UART, in Hz. */
const UART_CLOCK = 80_000_000;

/**
 * ESP-AT 2.2.1 on an ESP8266: the receive task and the strings of ESP-AT 5, with a prompt in two writes, half of the
 * memory, and `CLOSED` after some AT+CIPSTARTs that failed.
 */
export const espAt2: Personality = {
  name: "esp-at-2.2",
  chip: "ESP8266",
  strings: {
    ...espAtStrings,
    prompt: ["\r\nOK\r\n", "\r\n>"],
    version:
      "AT version:2.2.1.0(4f2a9c1 - ESP8266 - Jul 14 2022 07:11:32)\r\n" +
      "SDK version:v3.4-58-g71c0a5de\r\n" +
      "compile time(b3d1f60):Jul 14 2022 07:20:48\r\n" +
      "Bin version:2.2.1(WROOM-02-N)\r\n",
    closedLength: "-1",
  },
  remarks: {},
  limits: {
    line: 256,
    capitals: false,
    partialLine: 256,
    ssid: 32,
    password: 64,
    host: 64,
    links: 5,
    send: 2048,
    activePiece: 2920,
    transparentPacket: 1_460,
    receiveWindow: 5760,
    sendBuffer: 2880,
    startTimeout: 0,
    leastBaud: 80,
    mostBaud: 4_500_000,
    defaultBaud: 115_200,
    receiveRing: 1024,
    transmitRing: 2048,
    fifoThreshold: 100,
    idleSymbols: 10,
  },
  timings: {
    boot: [350, 450],
    uartReady: [120, 180],
    restart: [20, 22],
    sleepClock: [0.95, 1.05],
    command: [1, 3],
    prompt: [4, 8],
    betweenWrites: [0.1, 1.5],
    received: [3.5, 4.5],
    sent: [4, 8],
    associate: [800, 1700],
    dhcp: [400, 800],
    wrongPassword: [2_800, 3_200],
    accessPointNotFound: [3_800, 4_200],
    beaconLoss: [3_000, 6_000],
    connectTimeout: [9_500, 18_000],
    handshake: [1_500, 3_500],
    quit: [100, 900],
    scan: [1_800, 2_600],
    pingTimeout: [4_000, 4_200],
  },
  habits: {
    receiver: "chunks",
    replies: "whole",
    printingBlocks: "its task",
    sendOk: "copied",
    oneSocketTask: true,
    overtaking: 0.2,
    withholdsClosed: true,
    tellsClosedAtLoss: 1,
    closedAtFailedStart: { side: "after", chance: 0.5 },
    sleepModes: [SleepMode.Off, SleepMode.Modem, SleepMode.Light, SleepMode.ModemListen],
    sleepAtBoot: 0,
    defaultFlow: 0,
    forgetsUartDefault: false,
    dhcp: "bits",
    timeZone: { least: -12, most: 14, minutes: true },
    tellsBaud: (baud) => Math.floor(UART_CLOCK / Math.floor(UART_CLOCK / baud)),
    tls: {
      perLink: true,
      links: 1,
      store: "partitions",
      tellsMissing: true,
      verifiesName: "named",
      passive: true,
      verifiesTime: false,
    },
    keepsTime: false,
    heap: [43_512, 31_208],
    boot: {
      baud: () => 0,
      // The boot text stays on the pins that the UART has before they are swapped; swapping them leaves a few bytes.
      text: () => "",
      noise: (cause) => (fellOver(cause) ? [3, 12] : [0, 0]),
      takeOver: [1, 4],
    },
  },
  commands: [...espAtCommands, "+SYSFLASH"],
};
