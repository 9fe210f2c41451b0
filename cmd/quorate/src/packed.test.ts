/**
 * The npm package as its users get it: `npm pack`, then `npm install` of that one file in an empty folder, with and without
 * RocksDB; programs, types and the examples run against what was installed there.
 */
import { execFile } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { LocalRegistry } from "./testing/local-registry.ts";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));
const examples = join(checkout, "examples");
const work = mkdtempSync(join(tmpdir(), "quorate-packed-"));
const complete = join(work, "complete");
const withoutOptional = join(work, "without-optional");

interface Outcome {
	readonly code: number | string | null;
	readonly out: string;
	readonly err: string;
}

function run(cwd: string, program: string, args: string[], env = {}): Promise<Outcome> {
	const inherited = Object.entries(process.env).filter(
		// What the test runner, or an npm around it, has told its children.
		([name]) => !/^(npm_|NODE_OPTIONS$|NODE_V8|AVA|CI$|FORCE_COLOR$)/i.test(name),
	);
	const options = {
		cwd,
		env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...env },
		timeout: 300_000,
		maxBuffer: 1 << 24,
	};
	return new Promise((resolve) => {
		execFile(program, args, options, (error, out, err) => {
			resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), out, err });
		});
	});
}

const node = (cwd: string, ...args: string[]) => run(cwd, process.execPath, args);

async function done(t: ExecutionContext, outcome: Promise<Outcome>): Promise<string> {
	const { code, out, err } = await outcome;
	t.is(code, 0, `${out}\n${err}`);
	return out;
}

test.before(async (t) => {
	t.timeout(600_000);
	const registry = await LocalRegistry.start(join(checkout, "node_modules"));
	const env = {
		npm_config_registry: registry.url,
		npm_config_cache: join(work, "cache"),
		npm_config_userconfig: join(work, "npmrc"),
		npm_config_audit: "false",
		npm_config_fund: "false",
		npm_config_update_notifier: "false",
	};
	try {
		const packing = ["pack", "--pack-destination", work];
		await done(t, run(join(checkout, "cmd/quorate"), "npm", packing, env));
		const [file = "", ...more] = readdirSync(work).filter((name) => name.endsWith(".tgz"));
		t.deepEqual([/^quorate-\d+\.\d+\.\d+\.tgz$/.test(file), more], [true, []], "one file");
		const installing = ["install", join(work, file)];
		for (const folder of [complete, withoutOptional]) {
			cpSync(join(checkout, "LICENSE"), join(folder, "LICENSE"));
			writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
		}
		await done(t, run(complete, "npm", installing, env));
		await done(t, run(withoutOptional, "npm", [...installing, "--omit=optional"], env));
	} finally {
		registry.stop();
	}
});

test.after.always(() => rmSync(work, { recursive: true, force: true }));

/** Asks by the shell of the same package, a client like any other. */
const program = `
	const child = require("node:child_process");
	module.exports = async ({ Cluster }, options) => {
		const cluster = await Cluster.start(options);
		const shell = ["node_modules/quorate/bin/quorate.js", "sql", cluster.nodes.at(-1).connectionString];
		const sql = "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (41); SELECT a + 1 AS sum FROM t";
		const out = await new Promise((resolve, reject) =>
			child.execFile(process.execPath, [...shell, "-c", sql], (error, out) => error ? reject(error) : resolve(out)));
		await cluster.reset();
		await cluster.stop();
		console.log(/\\b42\\b/.test(out) ? "answered" : out);
	};
`;

for (const [name, folder] of [
	["with everything", complete],
	["without optional dependencies", withoutOptional],
] as const) {
	test.serial(`a cluster runs from an installed package, ${name}`, async (t) => {
		t.timeout(300_000);
		writeFileSync(join(folder, "program.cjs"), program);
		writeFileSync(
			join(folder, "import.mjs"),
			'import run from "./program.cjs"; import * as quorate from "quorate"; await run(quorate, { nodes: 3 });',
		);
		writeFileSync(
			join(folder, "require.cjs"),
			'require("./program.cjs")(require("quorate"), { nodes: 3 });',
		);
		t.is(await done(t, node(folder, "import.mjs")), "answered\n");
		t.is(await done(t, node(folder, "require.cjs")), "answered\n");
		const version = await done(t, node(folder, "node_modules/quorate/bin/quorate.js", "version"));
		t.regex(version, /^quorate \d/);
	});
}

test.serial("without RocksDB a data directory is refused in one line", async (t) => {
	t.false(existsSync(join(withoutOptional, "node_modules/rocksdb")));
	const start =
		'Cluster.start({ dataDirectory: "data" }).catch((e) => console.log(e.name, e.message))';
	const sources = {
		"refused.mjs": `import { Cluster } from "quorate"; await ${start};`,
		"refused.cjs": `const { Cluster } = require("quorate"); ${start};`,
	};
	for (const [file, source] of Object.entries(sources)) {
		writeFileSync(join(withoutOptional, file), source);
		const out = await done(t, node(withoutOptional, file));
		t.regex(
			out,
			/^ClusterError `dataDirectory` needs RocksDB: .*Without it the cluster runs in memory\.\n$/,
		);
	}
	t.false(existsSync(join(withoutOptional, "data")), "nothing was made");
});

test.serial("its types hold, by themselves", async (t) => {
	const source = `
		export async function example(): Promise<string> {
			await using cluster: Cluster = await Cluster.start({ nodes: 3, log: (line) => line.length });
			const [first] = cluster.nodes;
			await first?.kill();
			await first?.restart();
			cluster.partition([0], [1, cluster.nodes[2]!]);
			cluster.heal();
			await cluster.reset();
			// @ts-expect-error: a number is wanted
			await Cluster.start({ nodes: "3" }).catch((error: unknown) => error instanceof ClusterError);
			// @ts-expect-error: made by start only
			new Cluster();
			return cluster.connectionString;
		}`;
	const named = '{ Cluster, ClusterError } from "quorate";';
	writeFileSync(join(complete, "types.mts"), `import ${named}${source}`);
	writeFileSync(join(complete, "types.cts"), `import ${named}${source}`);
	const tsc = join(checkout, "node_modules/typescript/bin/tsc");
	const flags = [
		"--noEmit",
		"--strict",
		"--module",
		"nodenext",
		"--target",
		"es2022",
		"--types",
		"",
	];
	await done(t, node(complete, tsc, ...flags, "--lib", "es2022", "types.mts", "types.cts"));
});

const runners = {
	ava: ["ava/entrypoints/cli.mjs", "--timeout=5m"],
	vitest: [
		"vitest/vitest.mjs",
		"run",
		"--root",
		".",
		"--testTimeout=120000",
		"--hookTimeout=120000",
	],
	jest: ["jest/bin/jest.js", "--rootDir", ".", "--testTimeout=120000"],
};
const hasExamples = existsSync(join(examples, "node_modules/.package-lock.json"));
/** `npm ci --prefix examples` installs the runners: they are no part of this project. */
const example = hasExamples ? test.serial : test.serial.skip;

for (const [runner, [file = "", ...flags]] of Object.entries(runners)) {
	example(`the example for ${runner} passes`, async (t) => {
		t.timeout(300_000);
		addExamples();
		const folder = join(complete, "project");
		const args = [join(examples, "node_modules", file), ...flags, `${runner}/`];
		const { code, out, err } = await run(folder, process.execPath, args);
		t.is(code, 0, `${out}\n${err}`);
		t.regex(`${out}${err}`, /\b3 (tests? )?passed/);
	});
}

example("the example of an embedded database keeps what it wrote", async (t) => {
	t.timeout(300_000);
	addExamples();
	const folder = join(complete, "project");
	t.is(await done(t, node(folder, "embedded.js")), "visits: 1\n");
	t.is(await done(t, node(folder, "embedded.js")), "visits: 2\n");
});

/** A project that has installed the runners beside the package. */
function addExamples(): void {
	const folder = join(complete, "project");
	if (existsSync(folder)) return;
	const copied = (path: string): boolean => path !== join(examples, "node_modules");
	cpSync(examples, folder, { recursive: true, filter: copied });
	for (const name of ["ava", "jest", "vitest", "pg"]) {
		symlinkSync(join(examples, "node_modules", name), join(complete, "node_modules", name), "dir");
	}
}
