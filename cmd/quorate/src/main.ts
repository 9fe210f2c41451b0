/**
 * The command line. It parses flags, says what is wrong with them in one line, and hands over: to a node
 * (`run-node.ts`, `node-adapter.ts`) or to the SQL shell (`run-sql.ts`, `client/`). `local-cluster.ts` is the program
 * behind `make cluster`.
 *
 * 1. An error that a user can put right is one line on standard error and exit code 1; nothing was changed.
 * 2. A command that only talks to a server loads nothing of the node.
 *
 * May import: every package.
 */
import { createRequire } from "node:module";
import { Command } from "commander";
import type { CertFlags } from "./run-cert.ts";
import type { DemoFlags, StartFlags } from "./run-node.ts";
import type { DrainFlags, NodeFlags } from "./run-nodes.ts";
import type { RebuildFlags } from "./run-rebuild.ts";
import { errorLine } from "./user-error.ts";

const manifest = createRequire(import.meta.url)("../package.json") as { readonly version: string };

const startExamples = `
Examples:
  Three nodes on one machine, each in its own terminal (make cluster does the same in the background):
    quorate start --join 127.0.0.1:7441,127.0.0.1:7442,127.0.0.1:7443 --data data/n1 \\
        --listen 127.0.0.1:7441 --sql 127.0.0.1:7431 --admin 127.0.0.1:7451
    ... --data data/n2 --listen 127.0.0.1:7442 --sql 127.0.0.1:7432 --admin 127.0.0.1:7452
    ... --data data/n3 --listen 127.0.0.1:7443 --sql 127.0.0.1:7433 --admin 127.0.0.1:7453

Every node is given the same --join list. A cluster is born once the first three nodes of the
sorted list are up and empty; after that a node needs a quorum, not all. A node that is started
again with its --data directory comes back as itself. SIGTERM and Ctrl-C stop it cleanly: leases
move away, and transactions get drain_timeout to end.

The --admin address shows a console in a browser, and serves /health and /metrics (Prometheus).

Over a network: quorate cert create makes certificates; --hba says who may connect, and how they prove who they are
(trust, reject, scram-sha-256, cert), in the form of pg_hba.conf; --ident maps names, as pg_ident.conf. SIGHUP has
rules and certificates read again. The first password is set from loopback: quorate sql -c "ALTER ROLE quorate
PASSWORD '...'", with a rule that trusts 127.0.0.1/32.

A further node joins a running cluster: give it an empty --data directory and a --join list that
names nodes of the cluster; the cluster moves replicas and leases to it. See quorate node --help.
`;

const demoExamples = `
Example:
    quorate demo &
    quorate sql -c "SELECT version()"

One node, in memory: everything is gone when it stops.
`;

const rebuildText = `
For a node whose files are damaged or whose disk was replaced: it refuses to start, and names the file. Its own
copies are discarded, and when it is started again (quorate start, with the same flags as before) every range is
copied to it from the other nodes, and the control plane as well. GET /health on its admin port counts down what
is left ("renewing"). The other nodes go on serving meanwhile.

  - The node must be stopped; a directory that is in use is refused.
  - The node keeps its id and its place. Its replicas do not: they come back under new ids, since a replica that has
    forgotten its votes could help to lose what was committed.
  - The others are asked first whether each range, and the control plane, has a majority without this node. If one
    has not, or nobody answers, what this node holds may be the last copy, and nothing is done without --force.
  - Rebuild one node at a time, and wait until it is complete before the next: until then it holds no copies.
  - A cluster of one node cannot be rebuilt: there is nobody to copy from.
  - Nothing of it is kept. Copy the directory first, if you want to look at it later.

Examples:
    quorate node rebuild --data data/n1
  where identity.json itself is lost, or the first nodes have moved, say whom to ask and where this one listened:
    quorate node rebuild --data data/n1 --join 127.0.0.1:7442,127.0.0.1:7443 --listen 127.0.0.1:7441
`;

const drainText = `
Every replica is copied to another node before it goes, and the node's place in the control plane is given to another.
There must be nodes enough: a range has three replicas, each on a node of its own.

To take a node out of the cluster:
    quorate node drain 2 && quorate node remove 2      then stop it
One that is lost for good needs no drain: after dead_after (5 minutes, ALTER SYSTEM SET dead_after) its replicas are
made anew on others, and then it can be removed.
`;

const sqlExamples = `
Examples:
    quorate sql                                        node 1 of a local cluster (127.0.0.1:7431)
    quorate sql postgresql://127.0.0.1:7432/quorate    another node
    quorate sql "postgresql://ann@db1/quorate?sslmode=verify-full&sslrootcert=certs/ca.crt"
    quorate sql -c "SELECT 1" -c "\\dt"                 run and leave
    quorate sql < schema.sql                           statement by statement, up to the first error
    quorate sql -c "BACKUP DATABASE quorate TO '/backups/a'"      a directory on that node's machine; then INCREMENTAL
    quorate sql -c "RESTORE DATABASE quorate FROM '/backups/a'"   or TABLE t; AS OF SYSTEM TIME '...'

Without a URL, DATABASE_URL is used, then PGHOST, PGPORT, PGUSER and PGDATABASE. A password comes from the URL,
PGPASSWORD, ~/.pgpass (PGPASSFILE) or your keyboard; TLS is used where the server has it, and sslmode, sslrootcert,
sslcert, sslkey and channel_binding mean what they mean to psql. Inside, \\? shows the commands. Exit codes: 0, 1 if a statement failed, 2 if there is no connection.
psql, and any other PostgreSQL client, can be used as well.
`;

const certText = `
ca.crt certifies servers and clients, node-ca.crt nodes and nobody else. Keep ca.key and node-ca.key to yourself; a node needs:
    quorate start ... --hba hba.conf --tls-cert certs/server.crt --tls-key certs/server.key --tls-ca certs/ca.crt \\
        --node-cert certs/node.crt --node-key certs/node.key --node-ca certs/node-ca.crt
and a client:
    psql "host=db1 dbname=quorate user=ann sslmode=verify-full sslrootcert=certs/ca.crt"
`;

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

const program = new Command("quorate")
	.description("A sharded, strictly serializable SQL database that speaks PostgreSQL.")
	.version(manifest.version, "-V, --version", "show the version")
	.showHelpAfterError("(see: quorate --help)")
	.addHelpText("after", "\nBegin with: make cluster, or quorate demo; then quorate sql.\n");

program
	.command("start")
	.description("run one node of a cluster")
	.requiredOption("--join <addresses>", "node-to-node addresses of all first nodes, with commas")
	.requiredOption("--data <directory>", "where this node keeps its data; made if it does not exist")
	.requiredOption("--listen <host:port>", "node-to-node address of this node")
	.option("--sql <host:port>", "where clients connect", "127.0.0.1:7431")
	.option(
		"--admin <host:port>",
		"where the operator connects (HTTP; loopback only)",
		"127.0.0.1:7451",
	)
	.option(
		"--hba <file>",
		"who may connect, in the form of pg_hba.conf; without it: all, from loopback",
	)
	.option(
		"--ident <file>",
		"as whom holders of certificates may connect, in the form of pg_ident.conf; for rules with map=",
	)
	.option("--tls-cert <file>", "certificate of this node for clients (PEM)")
	.option("--tls-key <file>", "its key")
	.option("--tls-ca <file>", "who certifies clients, for the methods cert and clientcert")
	.option("--allow-plaintext", "serve other addresses than loopback without TLS")
	.option("--node-cert <file>", "certificate of this node for other nodes")
	.option("--node-key <file>", "its key")
	.option("--node-ca <file>", "who certifies nodes: none but them")
	.option(
		"--backup-root <directory>",
		"BACKUP and RESTORE may name directories below this one only (default: any but the node's data)",
	)
	.option(
		"--locality <levels>",
		"where the node stands, the widest level first: region=eu,zone=a",
		"",
	)
	.option("--engine <name>", "rocksdb, or memory (for tests: lost when the node stops)", "rocksdb")
	.option(
		"--cache <size>",
		"memory for what is read again and again, such as 1GB, beside the 100 to 150MB of a node (default: 64MB)",
	)
	.option("--log-level <level>", "debug, info, warn or error", "info")
	.addHelpText("after", startExamples)
	.action(async (flags: StartFlags) => {
		const { runStart } = await import("./run-node.ts");
		const { startRealNode } = await import("./node-adapter.ts");
		await leave(runStart(flags, startRealNode));
	});

program
	.command("demo")
	.description("run a cluster of one node, in memory")
	.option("--sql <host:port>", "where clients connect (loopback only)", "127.0.0.1:7431")
	.option("--listen <host:port>", "node-to-node address", "127.0.0.1:7441")
	.option("--admin <host:port>", "where the operator connects (HTTP)", "127.0.0.1:7451")
	.option("--log-level <level>", "debug, info, warn or error", "warn")
	.addHelpText("after", demoExamples)
	.action(async (flags: DemoFlags) => {
		const { runDemo } = await import("./run-node.ts");
		const { startRealNode } = await import("./node-adapter.ts");
		await leave(runDemo(flags, startRealNode));
	});

const nodeCommand = program
	.command("node")
	.description("look at nodes, take them out of use, care for their data");

const nodeUrl = ["--url <url>", "a node to ask (default: as for quorate sql)"] as const;

nodeCommand
	.command("ls")
	.description("all nodes, with what they hold")
	.option(...nodeUrl)
	.action(async (flags: NodeFlags) => {
		const { runNodeList } = await import("./run-nodes.ts");
		process.exitCode = await runNodeList(flags);
	});

nodeCommand
	.command("status")
	.description("what moves between nodes, what should and cannot, and what was decided last")
	.option(...nodeUrl)
	.action(async (flags: NodeFlags) => {
		const { runNodeStatus } = await import("./run-nodes.ts");
		process.exitCode = await runNodeStatus(flags);
	});

nodeCommand
	.command("drain")
	.description("give all that a node holds to others; it goes on serving clients")
	.argument("<node>", "its number, as node ls shows it")
	.option(...nodeUrl)
	.option("--cancel", "take it back: the node is used again", false)
	.option("--no-wait", "do not wait until the node is empty")
	.addHelpText("after", drainText)
	.action(async (node: string, flags: DrainFlags) => {
		const { runNodeDrain } = await import("./run-nodes.ts");
		process.exitCode = await runNodeDrain(node, flags);
	});

nodeCommand
	.command("remove")
	.description("remove a drained or dead node for good")
	.argument("<node>", "its number, as node ls shows it")
	.option(...nodeUrl)
	.action(async (node: string, flags: NodeFlags) => {
		const { runNodeRemove } = await import("./run-nodes.ts");
		process.exitCode = await runNodeRemove(node, flags);
	});

nodeCommand
	.command("rebuild")
	.description("discard what a stopped node holds, to have it copied again from the others")
	.requiredOption("--data <directory>", "the node's data directory")
	.option("--join <addresses>", "node-to-node addresses of other nodes, with commas", "")
	.option("--listen <host:port>", "node-to-node address of this node, if identity.json is lost", "")
	.option("--force", "also if nobody can say that everything is elsewhere, too", false)
	.addHelpText("after", rebuildText)
	.action(async (flags: RebuildFlags) => {
		const { runRebuild } = await import("./run-rebuild.ts");
		await leave(runRebuild(flags));
	});

program
	.command("cert")
	.description("certificates for a test cluster")
	.command("create")
	.description(
		"make authorities, and certificates of a node and of clients; files that are there are kept",
	)
	.option("--dir <directory>", "where they are", "certs")
	.option("--host <name>", "how clients and nodes call this node; may be repeated", collect, [])
	.option("--user <role>", "a certificate for the method cert; may be repeated", collect, [])
	.addHelpText("after", certText)
	.action(async (flags: CertFlags) => {
		const { runCertCreate } = await import("./run-cert.ts");
		const host = flags.host.length > 0 ? flags.host : ["127.0.0.1", "localhost"];
		runCertCreate({ ...flags, host });
	});

program
	.command("sql")
	.description("a SQL shell")
	.argument("[url]", "postgresql://user@host:port/database")
	.option("-c, --command <text>", "run this and leave; may be repeated", collect, [])
	.addHelpText("after", sqlExamples)
	.action(async (url: string | undefined, flags: { command: string[] }) => {
		const { runSql } = await import("./run-sql.ts");
		process.exitCode = await runSql(url, flags);
	});

program
	.command("version")
	.description("show the version")
	.action(() => console.log(`quorate ${manifest.version} (Node.js ${process.versions.node})`));

/** A node that has stopped, or could not start, may still hold timers and sockets: nothing is waited for. */
async function leave(command: Promise<number>): Promise<never> {
	process.exit(
		await command.catch((error: unknown) => {
			console.error(errorLine(error));
			return 1;
		}),
	);
}

try {
	await program.parseAsync();
} catch (error) {
	console.error(errorLine(error));
	process.exitCode = 1;
}
