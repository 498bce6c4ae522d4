/** What `moth provision` asks a person, with what the board has as the answers that Enter gives. */
import { Failure } from "../failure";
import { isSecretKey, SECRET_SET, suggestedDevice, type Wishes } from "./provision";
import { PEM_KEYS, type PemKey, type Pems, readPem } from "./pem-files";
import { settingProblem } from "./settings-file";

/** What is answered where there is something, and there shall be nothing. */
const NOTHING = "-";

/** Who is asked. An answer that `problem` has something against is asked for again. */
export interface Asker {
  text(question: string, before: string, problem: (answer: string) => string | undefined): Promise<string>;
  /** The answer is not shown. */
  secret(question: string, problem: (answer: string) => string | undefined): Promise<string>;
}

/** A person at this terminal. */
export async function terminalAsker(): Promise<Asker> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new Failure("no terminal to ask at: give the settings with --settings FILE");
  }
  const [{ default: input }, { default: password }] = await Promise.all([
    import("@inquirer/input"),
    import("@inquirer/password"),
  ]);
  return {
    text: (message, before, problem) => answered(
      input({ message, validate: (answer) => problem(answer) ?? true, ...(before !== "" && { default: before }) }),
    ),
    secret: (message, problem) => answered(
      password({ message, mask: true, validate: (answer) => problem(answer) ?? true }),
    ),
  };
}

/** Ctrl-C at a prompt is no mishap. */
async function answered(prompt: Promise<string>): Promise<string> {
  try {
    return await prompt;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ExitPromptError") throw error;
    throw new Failure("stopped: nothing was changed");
  }
}

/**
 * Asks for everything, and only then is anything changed. `has` and `id` are what the board says of itself; `given` is not
 * asked for.
 */
export async function askForWishes(
  asker: Asker, has: ReadonlyMap<string, string>, id: string | undefined, given: Pems = new Map(),
): Promise<Wishes> {
  const values = new Map<string, string>();
  const kept = new Set<string>(["wifi.baud", "wifi.max-baud", "wifi.power-save", "mqtt.protocol", "time.server"]);
  const present = (key: string): string => has.get(key) ?? "";

  async function ask(key: string, question: string, needed: boolean, before = present(key)): Promise<string> {
    // Enter alone gives what stands there, so nothing needs a sign of its own.
    const hint = needed ? "" : before === "" ? " (empty: none)" : ` (${NOTHING} for none)`;
    const said = await asker.text(`${question}${hint}:`, before, (text) => {
      if (needed && text === "") return "a board cannot do without it";
      return !needed && text === NOTHING ? undefined : settingProblem(key, text);
    });
    const answer = !needed && said === NOTHING ? "" : said;
    if (answer !== "") values.set(key, answer);
    return answer;
  }

  async function askSecret(key: string, question: string, canKeep: boolean): Promise<void> {
    const keeps = canKeep && has.get(key) === SECRET_SET;
    const hint = keeps ? `empty: the one it has, ${NOTHING} for none` : "empty: none";
    const answer = await asker.secret(`${question} (${hint}):`, (text) => settingProblem(key, text));
    if (answer === "" && keeps) kept.add(key);
    else if (answer !== "" && !(keeps && answer === NOTHING)) values.set(key, answer);
  }

  const device = present("device");
  await ask("device", "Device id", true, device === "" ? suggestedDevice(id) : device);
  for (const [place, network] of ["wifi", "wifi2", "wifi3"].entries()) {
    const question = place === 0 ? "Wi-Fi network" : "Wi-Fi network to fall back on";
    const ssid = await ask(`${network}.ssid`, question, place === 0);
    if (ssid === "") break;
    await askSecret(`${network}.password`, `Password of the Wi-Fi ${ssid}`, ssid === present(`${network}.ssid`));
  }
  const before = present("mqtt.tls") === "on" ? "on" : "off";
  const tls = await ask("mqtt.tls", "TLS to the broker, on or off", true, before);
  // That is what it is without a line of its own.
  if (tls === "off") values.delete("mqtt.tls");
  const usualPort = tls === "on" ? "8883" : "1883";
  for (const [place, broker] of ["mqtt", "mqtt2", "mqtt3"].entries()) {
    const question = place === 0 ? "Broker, its name or address" : "Broker to fall back on";
    const host = await ask(`${broker}.host`, question, place === 0);
    if (host === "") break;
    const port = present(`${broker}.port`);
    await ask(`${broker}.port`, `Port of ${host}`, true, port === "" || tls !== before ? usualPort : port);
  }
  const user = await ask("mqtt.user", "User at the broker", false);
  if (user !== "") await askSecret("mqtt.password", `Password of ${user}`, user === present("mqtt.user"));
  return { values, kept, ...(await askForPems(asker, has, given, tls === "on")) };
}

const PEM_QUESTIONS: Record<PemKey, string> = {
  ca: "File with the certificate of the broker's authority",
  cert: "File with this board's own certificate, for a broker that asks for one",
  key: "File with the key of that certificate",
};

/** Without TLS nobody is asked, and the board keeps what it has. */
async function askForPems(
  asker: Asker, has: ReadonlyMap<string, string>, given: Pems, tls: boolean,
): Promise<Pick<Wishes, "pems" | "pemsKept">> {
  const pems = new Map(given);
  const pemsKept = new Set<PemKey>();
  for (const key of PEM_KEYS) {
    if (given.has(key)) continue;
    // The key goes with its certificate: kept with one that is kept, asked for with one that is new.
    if (!tls || (key === "key" && pemsKept.has("cert"))) pemsKept.add(key);
    else if (key !== "key" || pems.has("cert")) await askForPem(key);
  }
  return { pems, pemsKept };

  async function askForPem(key: PemKey): Promise<void> {
    const held = has.get(key) ?? "";
    const there = key !== "key" && held !== "" && held !== "(none)";
    const needed = key !== "cert";
    const hint = there ? ` (empty: the one it has${needed ? "" : `, ${NOTHING} for none`})` : needed ? "" : " (empty: none)";
    const path = await asker.text(`${PEM_QUESTIONS[key]}${hint}:`, "", (text) => {
      if (text === "" || text === NOTHING) return needed && !there ? "TLS cannot do without it" : undefined;
      return problemOf(() => readPem(key, text));
    });
    if (path === "") pemsKept.add(key);
    else if (path !== NOTHING) pems.set(key, readPem(key, path));
  }
}

/** What is wrong, as a sentence; undefined when nothing is. */
function problemOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

/** The settings as lines, as the board shows them: without its secrets. */
export function settingLines(shown: ReadonlyMap<string, string>): string[] {
  return [...shown].map(([key, value]) => `  ${key.padEnd(16)}${isSecretKey(key) || value !== "" ? value : "(none)"}`);
}
