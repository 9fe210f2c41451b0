import { spawn } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { LocalCluster } from "./local-cluster.ts";
import { isRunning } from "./process-identity.ts";
import { freePortBase } from "./testing/free-ports.ts";

const fakeNode = fileURLToPath(new URL("./testing/fake-node.js", import.meta.url));

interface World {
	directory: string;
	lines: string[];
	sqlPortBase: number;
	cluster: LocalCluster;
	pids(): number[];
}

async function world(t: ExecutionContext): Promise<World> {
	const parent = mkdtempSync(join(tmpdir(), "quorate-test-"));
	const directory = join(parent, "local");
	const lines: string[] = [];
	const base = await freePortBase(6);
	const cluster = new LocalCluster({
		directory,
		program: [process.execPath, ...process.execArgv, fakeNode],
		nodeCount: 2,
		sqlPortBase: base,
		peerPortBase: base + 2,
		adminPortBase: base + 4,
		startMs: 60_000,
		stopMs: 20_000,
		print: (line) => lines.push(line),
	});
	t.teardown(async () => {
		await cluster.stop();
		rmSync(parent, { recursive: true });
	});
	const pids = () =>
		["n1", "n2"].map((name) => Number(readFileSync(join(directory, `${name}.pid`), "utf8")));
	return { directory, lines, sqlPortBase: base, cluster, pids };
}

test.serial("start, start again, stop, start, clean", async (t) => {
	const { cluster, directory, lines, pids, sqlPortBase } = await world(t);
	await cluster.start();
	t.regex(lines.join("\n"), /2 nodes serve SQL/);
	t.true(
		lines.some((line) => line.includes(`psql "postgresql://quorate@127.0.0.1:${sqlPortBase + 2}/`)),
	);
	const first = pids();
	lines.length = 0;
	await cluster.start();
	t.is(lines[0], "The cluster is running already.");
	t.deepEqual(pids(), first);
	await cluster.stop();
	t.is(lines.at(-1), `Stopped 2 nodes. Their data is kept in ${directory}.`);
	t.false(first.some(isRunning));
	t.true(existsSync(join(directory, "n1/identity.json")));
	await cluster.stop();
	t.is(lines.at(-1), "The cluster is not running.");
	await cluster.start();
	const second = pids();
	await cluster.clean();
	t.false(second.some(isRunning), "clean stops first");
	t.false(existsSync(directory));
});

test.serial("a node that was lost is started again beside the others", async (t) => {
	const { cluster, pids } = await world(t);
	await cluster.start();
	const [one, two] = pids();
	process.kill(two!, "SIGKILL");
	while (isRunning(two!)) {
		await new Promise((resolve) => setImmediate(resolve));
	}
	await cluster.start();
	const after = pids();
	t.is(after[0], one);
	t.not(after[1], two);
});

test.serial("a taken port is named, and nothing is changed", async (t) => {
	const { cluster, directory, sqlPortBase } = await world(t);
	const other = createServer();
	await new Promise<void>((resolve) => other.listen(sqlPortBase + 2, "127.0.0.1", resolve));
	t.teardown(() => other.close());
	await t.throwsAsync(cluster.start(), {
		message: `127.0.0.1:${sqlPortBase + 2} (SQL of n2) is taken by another process; nothing was started`,
	});
	t.false(existsSync(directory));
});

test.serial("a directory with something else in it is refused by start and by clean", async (t) => {
	const { cluster, directory } = await world(t);
	const foreign = join(directory, "n2");
	mkdirSync(foreign, { recursive: true });
	writeFileSync(join(foreign, "thesis.tex"), "precious");
	const refusal = {
		message: `${foreign} holds other files (thesis.tex) and no Quorate data; nothing was changed`,
	};
	await t.throwsAsync(cluster.start(), refusal);
	await t.throwsAsync(cluster.clean(), refusal);
	t.deepEqual(readdirSync(directory), ["n2"]);
	t.is(readFileSync(join(foreign, "thesis.tex"), "utf8"), "precious");
});

test.serial("a node that ends at once is reported with its last words", async (t) => {
	const { cluster, directory } = await world(t);
	mkdirSync(join(directory, "n2"), { recursive: true });
	writeFileSync(join(directory, "n2/identity.json"), "{}");
	writeFileSync(join(directory, "n2/identity.json.refuse"), "");
	const error = await t.throwsAsync(cluster.start());
	t.regex(error!.message, /^n2 ended: the disk is on fire \(see .*n2\.log\)$/);
	t.false(existsSync(join(directory, "n1.pid")), "the others were stopped");
});

test.serial("a pid file that names another process is not believed", async (t) => {
	const { cluster, directory, lines } = await world(t);
	const bystander = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "start"]);
	t.teardown(() => bystander.kill("SIGKILL"));
	mkdirSync(directory, { recursive: true });
	writeFileSync(join(directory, "n1.pid"), `${bystander.pid}\n`);
	await cluster.stop();
	t.is(lines.at(-1), "The cluster is not running.");
	t.true(isRunning(bystander.pid!));
});
