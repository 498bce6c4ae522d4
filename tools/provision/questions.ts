/** What `moth provision` asks a person, with what the board has as the answers that Enter gives. */
import { Failure } from "../failure";
import { isSecretKey, SECRET_SET, suggestedDevice, type Wishes } from "./provision";
import { readCertificates, settingProblem } from "./settings-file";

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

/** Asks for everything, and only then is anything changed. `has` and `id` are what the board says of itself. */
export async function askForWishes(asker: Asker, has: ReadonlyMap<string, string>, id: string | undefined): Promise<Wishes> {
  const values = new Map<string, string>();
  const kept = new Set<string>(["wifi.baud", "wifi.max-baud"]);
  const present = (key: string): string => has.get(key) ?? "";

  async function ask(key: string, question: string, needed: boolean, before = present(key)): Promise<string> {
    // Enter alone gives what stands there, so nothing needs a sign of its own.
    const hint = needed ? "" : before === "" ? " (empty: none)" : ` (${NOTHING} for none)`;
    const given = await asker.text(`${question}${hint}:`, before, (text) => {
      if (needed && text === "") return "a board cannot do without it";
      return !needed && text === NOTHING ? undefined : settingProblem(key, text);
    });
    const answer = !needed && given === NOTHING ? "" : given;
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
  for (const [place, broker] of ["mqtt", "mqtt2", "mqtt3"].entries()) {
    const question = place === 0 ? "Broker, its name or address" : "Broker to fall back on";
    const host = await ask(`${broker}.host`, question, place === 0);
    if (host === "") break;
    const port = present(`${broker}.port`);
    await ask(`${broker}.port`, `Port of ${host}`, true, port === "" ? "1883" : port);
  }
  const user = await ask("mqtt.user", "User at the broker", false);
  if (user !== "") await askSecret("mqtt.password", `Password of ${user}`, user === present("mqtt.user"));
  return { values, kept, ...(await askForCertificate(asker, present("ca"))) };
}

async function askForCertificate(asker: Asker, has: string): Promise<Pick<Wishes, "ca" | "caKept">> {
  const there = has !== "" && has !== "(none)";
  const hint = there ? `empty: the one it has, ${NOTHING} for none` : "empty: none";
  const path = await asker.text(`File with the broker's CA certificate (${hint}):`, "", (text) => {
    if (text === "" || text === NOTHING) return undefined;
    try {
      readCertificates(text);
      return undefined;
    } catch (error) {
      if (error instanceof Failure) return error.message;
      throw error;
    }
  });
  if (path === "") return { ca: undefined, caKept: there };
  return { ca: path === NOTHING ? undefined : readCertificates(path), caKept: false };
}

/** The settings as lines, as the board shows them: without its secrets. */
export function settingLines(shown: ReadonlyMap<string, string>): string[] {
  return [...shown].map(([key, value]) => `  ${key.padEnd(16)}${isSecretKey(key) || value !== "" ? value : "(none)"}`);
}
