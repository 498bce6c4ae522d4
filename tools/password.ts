/** Passwords: from the environment or asked for, never from the command line, which every program here can read. */
import { Failure } from "./failure";

/** The MQTT password of `user`; undefined when it is given as empty: none. */
export async function brokerPassword(user: string, host: string): Promise<string | undefined> {
  const password = await secret("MOTH_MQTT_PASSWORD", `no password for ${user}`, `Password of ${user} at ${host}:`);
  return password === "" ? undefined : password;
}

/** The password of a Wi-Fi network; empty: it is open. */
export function wifiPassword(ssid: string): Promise<string> {
  return secret("MOTH_WIFI_PASSWORD", `no password for the Wi-Fi network ${ssid}`, `Password of the Wi-Fi ${ssid}:`);
}

async function secret(variable: string, missing: string, question: string): Promise<string> {
  const given = process.env[variable];
  if (given !== undefined) return given;
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw new Failure(`${missing}: set ${variable} (empty: none)`);
  const { default: ask } = await import("@inquirer/password");
  try {
    return await ask({ message: question, mask: true });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ExitPromptError") throw error;
    // Ctrl-C at the prompt.
    throw new Failure("stopped");
  }
}
