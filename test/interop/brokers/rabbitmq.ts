/**
 * RabbitMQ nodes with the MQTT plugin, in folders and at ports of their own: not the system's service, not its settings,
 * not its cookie, and not the system's epmd, the program with which Erlang nodes find each other.
 *
 * What Debian's 3.10 can do: MQTT 3.1 and 3.1.1; QoS 2 is granted, taken and delivered as QoS 1.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, Program } from "../../e2e/processes";
import { requireTool } from "../../system";

/** Debian's own starter changes to a user who may not read our folder: the script behind it does not. */
function serverScript(): string {
  requireTool("rabbitmq-server");
  const versions = "/usr/lib/rabbitmq/lib";
  const version = readdirSync(versions).find((name) => name.startsWith("rabbitmq_server-"));
  if (version === undefined) throw new Error(`there is no rabbitmq_server-… in ${versions}: run "npm run setup"`);
  return join(versions, version, "sbin/rabbitmq-server");
}

/**
 * Everybody may come in. A kept session is a queue; it is mirrored to all nodes, and a mirror takes over when the node
 * that holds it dies. Quorum queues, which RabbitMQ recommends, want most of their nodes alive: of two nodes, both.
 */
const DEFINITIONS = {
  users: [{ name: "guest", password: "guest", tags: "administrator" }],
  vhosts: [{ name: "/" }],
  permissions: [{ user: "guest", vhost: "/", configure: ".*", write: ".*", read: ".*" }],
  policies: [
    {
      vhost: "/",
      name: "sessions",
      pattern: "^mqtt-subscription-",
      "apply-to": "queues",
      definition: { "ha-mode": "all", "ha-sync-mode": "automatic" },
    },
  ],
};

const START_PATIENCE = 60_000;

export class RabbitNode {
  private constructor(
    readonly port: number,
    readonly name: string,
    private readonly program: Program,
    private readonly pidFile: string,
  ) {}

  static async start(cluster: RabbitCluster, number: number): Promise<RabbitNode> {
    const name = `moth-${number}@localhost`;
    const folder = join(cluster.folder, String(number));
    mkdirSync(folder);
    const port = await freePort();
    const write = (file: string, text: string): string => {
      writeFileSync(join(folder, file), text);
      return join(folder, file);
    };
    const joins = cluster.nodes.map((node, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${node.name}`);
    const settings = [
      "listeners.tcp = none",
      `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
      "mqtt.allow_anonymous = true",
      `load_definitions = ${write("definitions.json", JSON.stringify(DEFINITIONS))}`,
      "log.console = true",
      "log.console.level = info",
      ...(joins.length > 0 ? ["cluster_formation.peer_discovery_backend = classic_config", ...joins] : []),
    ];
    const pidFile = join(folder, "pid");
    const env = {
      HOME: cluster.folder,
      ERL_EPMD_PORT: String(cluster.epmdPort),
      RABBITMQ_NODENAME: name,
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_LOGS: "-",
      RABBITMQ_PID_FILE: pidFile,
      RABBITMQ_CONFIG_FILE: write("rabbitmq.conf", `${settings.join("\n")}\n`),
      RABBITMQ_CONF_ENV_FILE: "/dev/null",
      RABBITMQ_ENABLED_PLUGINS_FILE: write("enabled_plugins", "[rabbitmq_mqtt].\n"),
      // Only for this machine; and an idle node waits instead of spinning, for the machine is small.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2",
    };
    const program = new Program("/bin/sh", [serverScript()], env, { shared: true });
    const node = new RabbitNode(port, name, program, pidFile);
    await program.until(`RabbitMQ's node ${name}`, (line) => line.includes("Server startup complete") || undefined, START_PATIENCE);
    return node;
  }

  /** Everything it has logged. */
  get log(): readonly string[] {
    return this.program.lines;
  }

  /** Ends it at once, as a power cut does. */
  async kill(): Promise<void> {
    if (!this.program.running) return;
    process.kill(Number(readFileSync(this.pidFile, "utf8")), "SIGKILL");
    await this.program.ended;
  }
}

/** Nodes that know each other. */
export class RabbitCluster {
  readonly nodes: RabbitNode[] = [];

  private constructor(
    readonly folder: string,
    readonly epmdPort: number,
    private readonly epmd: Program,
  ) {}

  /** A cluster without a node. Whoever starts it stops it. */
  static async start(): Promise<RabbitCluster> {
    const folder = mkdtempSync(join(tmpdir(), "moth-rabbitmq-"));
    // What nodes of one cluster must have in common. Erlang insists on the mode.
    writeFileSync(join(folder, ".erlang.cookie"), "moth", { mode: 0o400 });
    const port = await freePort();
    const epmd = new Program(requireTool("epmd"), ["-port", String(port), "-address", "127.0.0.1"], {}, { shared: true });
    return new RabbitCluster(folder, port, epmd);
  }

  /** One more node, of which those before have heard once this ends. */
  async add(): Promise<RabbitNode> {
    const node = await RabbitNode.start(this, this.nodes.length + 1);
    this.nodes.push(node);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    this.epmd.kill("SIGKILL");
    await this.epmd.ended;
    rmSync(this.folder, { recursive: true });
  }
}
