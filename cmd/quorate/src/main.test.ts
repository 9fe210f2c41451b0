/** The program as a user runs it: flags, exit codes, one line for each mistake; the shell against a server of fixed answers. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClusterId, NodeId } from "@quorate/keys/ids";
import { writeIdentity } from "@quorate/placement/identity-file";
import { RealDisk } from "@quorate/runtime/real-disk";
import test from "ava";
import { freePortBase } from "./testing/free-ports.ts";

const quorate = fileURLToPath(new URL("../bin/quorate.js", import.meta.url));
const fakeNode = fileURLToPath(new URL("./testing/fake-node.js", import.meta.url));

interface Outcome {
	code: number | null;
	out: string;
	err: string;
}

function run(args: string[], input = "", env: Record<string, string> = {}): Promise<Outcome> {
	return new Promise((resolve) => {
		const child = execFile(
			process.execPath,
			[quorate, ...args],
			{ env: { PATH: process.env["PATH"], ...env } },
			(_error, out, err) => resolve({ code: child.exitCode, out, err }),
		);
		child.stdin!.end(input);
	});
}

let port = 0;
let directory = "";
let server: ChildProcess;

test.before(async () => {
	directory = mkdtempSync(join(tmpdir(), "quorate-test-"));
	port = (await freePortBase(1)) + 1;
	const address = `127.0.0.1:${port}`;
	const flags = {
		"--join": "x",
		"--data": join(directory, "n1"),
		"--listen": "x",
		"--sql": address,
		"--admin": "x",
	};
	const args = [...process.execArgv, fakeNode, "start", ...Object.entries(flags).flat()];
	server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
	await new Promise((resolve) => server.stdout!.once("data", resolve));
});

test.after.always(() => {
	server.kill("SIGKILL");
	rmSync(directory, { recursive: true, force: true });
});

const url = () => `postgresql://127.0.0.1:${port}/d`;

test("help teaches, version is the package's", async (t) => {
	const help = await run(["--help"]);
	t.is(help.code, 0);
	for (const command of ["start", "demo", "node", "sql", "version"]) {
		t.regex(help.out, new RegExp(`^  ${command} `, "m"));
	}
	t.regex((await run(["start", "--help"])).out, /Examples:[\s\S]*--join 127\.0\.0\.1:7441/);
	t.regex((await run(["version"])).out, /^quorate \d+\.\d+\.\d+ \(Node\.js /);
});

test("a mistake is one line and exit code 1", async (t) => {
	const start = [
		"start",
		"--join",
		"127.0.0.1:1",
		"--data",
		join(directory, "new"),
		"--listen",
		"127.0.0.1:1",
	];
	const cases: [string[], RegExp][] = [
		[
			["start", "--join", "7441", "--data", "d", "--listen", "127.0.0.1:1"],
			/--join "7441" is not an address/,
		],
		[[...start, "--engine", "paper"], /--engine "paper" is neither rocksdb nor memory/],
		[[...start, "--locality", "here"], /--locality "here" is not of the form/],
		[[...start, "--cache", "25%"], /--cache "25%" is not a size, such as 256MB/],
		[[...start, "--cache", "900kB"], /--cache 900kB is less than 1MB/],
		[
			[...start, "--cache", "9000TB"],
			/--cache 9000TB is more than the \d+MB that this machine has/,
		],
		[[...start, "--cache", "1GB", "--engine", "memory"], /--cache goes with --engine rocksdb/],
		[[...start, "--log-level", "loud"], /--log-level "loud" is none of/],
	];
	for (const [args, expected] of cases) {
		const { code, err } = await run(args);
		t.is(code, 1);
		t.regex(err, expected);
		t.is(err.trimEnd().split("\n").length, 1, err);
	}
	t.false(readdirSync(directory).includes("new"), "nothing was made");
});

test("a taken port and a foreign directory change nothing", async (t) => {
	const base = await freePortBase(2);
	const blocker = createServer();
	await new Promise<void>((resolve) => blocker.listen(base + 1, "127.0.0.1", resolve));
	const flags = ["--join", `127.0.0.1:${base + 1}`, "--listen", `127.0.0.1:${base + 1}`];
	const taken = await run(["start", ...flags, "--data", join(directory, "never")]);
	blocker.close();
	t.is(taken.code, 1);
	t.is(
		taken.err,
		`quorate: 127.0.0.1:${base + 1} (--listen) is taken by another process; nothing was started\n`,
	);
	const foreign = mkdtempSync(join(tmpdir(), "quorate-test-"));
	writeFileSync(join(foreign, "notes.txt"), "");
	const refused = await run(["start", ...flags, "--data", foreign]);
	t.is(refused.code, 1);
	t.regex(
		refused.err,
		/holds other files \(notes\.txt\) and no Quorate data; nothing was changed\n$/,
	);
	t.deepEqual(readdirSync(foreign), ["notes.txt"]);
	rmSync(foreign, { recursive: true });
	t.false(readdirSync(directory).includes("never"));
});

test("node ls, drain and remove say what is wrong in one line", async (t) => {
	const help = await run(["node", "drain", "--help"]);
	t.regex(help.out, /quorate node drain 2 && quorate node remove 2/);
	for (const command of ["drain", "remove"]) {
		const wrong = await run(["node", command, "n1"]);
		t.is(wrong.code, 1);
		t.regex(wrong.err, /^quorate: "n1" is not the number of a node[^\n]*\n$/);
	}
	const nobody = await run(["node", "ls", "--url", "postgresql://127.0.0.1:1/d"]);
	t.is(nobody.code, 1);
	t.regex(nobody.err, /^quorate: nothing is listening on 127\.0\.0\.1:1[^\n]*\n$/);
});

test("node rebuild touches nothing that it must not discard", async (t) => {
	const help = await run(["node", "rebuild", "--help"]);
	t.regex(help.out, /--force[\s\S]*last copy[\s\S]*--data data\/n1/);
	const none = await run(["node", "rebuild", "--data", join(directory, "none")]);
	t.is(none.code, 1);
	t.regex(none.err, /^quorate: there is no directory .*none\n$/);

	const foreign = mkdtempSync(join(tmpdir(), "quorate-test-"));
	writeFileSync(join(foreign, "notes.txt"), "");
	const other = await run(["node", "rebuild", "--data", foreign, "--force"]);
	t.regex(other.err, /holds no data of a node; nothing was changed\n$/);

	const [clusterId, founders] = ["0".repeat(32), [1, 2, 3]];
	const port1 = (await freePortBase(3)) + 1;
	const addressed = founders.map((id) => ({
		nodeId: id as NodeId,
		address: `127.0.0.1:${port1 + id - 1}`,
	}));
	const identity = { phase: "formed" as const, clusterId: clusterId as ClusterId };
	const disk = new RealDisk(foreign);
	await writeIdentity(disk, { ...identity, nodeId: 1 as NodeId, founders: addressed.slice(0, 1) });
	const sole = await run(["node", "rebuild", "--data", foreign, "--force"]);
	t.regex(sole.err, /only one of its control plane; nothing was changed.*nobody to copy from/);

	await writeIdentity(disk, { ...identity, nodeId: 1 as NodeId, founders: addressed });
	const alone = await run(["node", "rebuild", "--data", foreign]);
	t.is(alone.code, 1);
	t.regex(alone.err, /no other node answers; nothing was changed.*--force/);
	t.deepEqual(readdirSync(foreign), ["identity.json", "notes.txt"]);
	const lock = await disk.lock(".");
	const running = await run(["node", "rebuild", "--data", foreign, "--force"]);
	t.regex(running.err, /a node runs on .*; nothing was changed Stop it first/);
	await lock?.release();

	writeFileSync(join(foreign, "identity.json"), "{}");
	const lost = await run(["node", "rebuild", "--data", foreign, "--force"]);
	t.regex(lost.err, /identity\.json is lost or damaged; nothing was changed.*--listen/);
	rmSync(foreign, { recursive: true });
});

test("sql -c prints what psql prints", async (t) => {
	const { code, out, err } = await run(["sql", url(), "-c", "rows 4; notice", "-c", "\\conninfo"]);
	t.is(
		out,
		" id |   name   \n----+----------\n  0 | name 0 é\n  1 | name 1 é\n  2 | name 2 é\n  3 | \n(4 rows)\n\nDO\n" +
			`You are connected to database "d" as user "quorate" on host "127.0.0.1" at port "${port}" (15.0 (Quorate 0.1.0)).\n`,
	);
	t.is(err, "NOTICE:  look\nHINT:  there\n");
	t.is(code, 0);
});

test("sql reads standard input up to the first error", async (t) => {
	const script = "rows 1;\nrows\n0;\n\nselect *\n  from nothing;\nrows 2;\n";
	const { code, out, err } = await run(["sql"], script, { DATABASE_URL: url() });
	t.is(code, 1);
	t.regex(out, /\(1 row\)/);
	t.notRegex(out, /\(2 rows\)/);
	t.is(
		err,
		'ERROR:  relation "nothing" does not exist\nLINE 2:   from nothing;\n               ^\n',
	);
});

test("sql says when there is no server, or no such database", async (t) => {
	const base = await freePortBase(1);
	const none = await run(["sql"], "", { PGPORT: String(base + 1) });
	t.is(none.code, 2);
	t.regex(none.err, new RegExp(`^quorate: nothing is listening on 127.0.0.1:${base + 1}`));
	const bad = await run(["sql", "nonsense"]);
	t.is(bad.code, 2);
	t.regex(bad.err, /^quorate: "nonsense" is not a URL/);
});

test("COPY data goes out, and is refused in", async (t) => {
	const { code, out, err } = await run(["sql", url()], "copy out 2;\ncopy in;\n");
	t.is(out, "0\tline\n1\tline\nCOPY 2\n");
	t.regex(err, /COPY from stdin failed: this client cannot send COPY data; use psql/);
	t.is(code, 1);
});
