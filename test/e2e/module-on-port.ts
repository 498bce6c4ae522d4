/** The simulated Wi-Fi module, in real time, behind a serial port: what an adapter with a module on it is to this computer. */
import { onTestFinished } from "vitest";
import { NodeSerial } from "../../hal/node/serial";
import { AccessPoint } from "../../sim/air";
import { SimClock } from "../../sim/clock";
import { SerialLine } from "../../sim/line";
import { EspAtModule } from "../../sim/module/esp-at";
import { TcpNetwork } from "../../sim/network/tcp";
import { Outside, runPaced } from "../../sim/pace";
import { Random } from "../../sim/random";

export const SSID = "barn";
export const WIFI_PASSWORD = 'its "secret", 1\\2';

const BAUD = 115200;
const RING = 65535;

/** Powers a module at the far end of a line. It lives until the end of the test, or of the line. */
export async function attachModule(path: string): Promise<EspAtModule> {
  const port = await NodeSerial.open({ path, baud: BAUD, receiveRing: RING, sendRing: RING });
  const clock = new SimClock();
  const outside = new Outside(clock);
  const random = new Random(1);
  const line = new SerialLine(clock, { hostTransmitRing: RING, hostReceiveRing: RING });
  const air = new AccessPoint(clock, SSID, WIFI_PASSWORD);
  const module = new EspAtModule({ clock, line: line.module, network: new TcpNetwork(outside), air, random });
  line.host.followsPeer = true;
  const piece = new Uint8Array(1024);

  line.host.onWake(() => {
    for (let count = line.host.read(piece); count > 0; count = line.host.read(piece)) port.write(piece, 0, count);
  });
  port.onReceive = () => {
    outside.run(() => {
      for (let count = take(); count > 0; count = take()) line.host.write(piece, 0, count);
    });
  };
  const take = (): number => port.read(piece, 0, piece.length);

  const end = new AbortController();
  module.powerOn();
  const over = runPaced(clock, { speed: "real", outside, until: () => false, signal: end.signal });
  onTestFinished(async () => {
    end.abort();
    await over;
    module.powerOff();
    await port.close();
  });
  return module;
}
