/** pgbench with all of its scripts, and sysbench's OLTP ones: all transactions come through, and the sums are right. */
import test from "ava";
import { served } from "../served.ts";
import { output, psql, runs } from "./programs.ts";

const url = served();

function parts(): {
	readonly host: string;
	readonly port: string;
	readonly user: string;
	readonly database: string;
} {
	const { hostname, port, username, pathname } = new URL(url());
	return { host: hostname, port, user: username, database: pathname.slice(1) };
}

const pgbench = (...args: readonly string[]): Promise<string> =>
	output("pgbench", [...args, url()]);

const withPgbench = runs("pgbench") ? test.serial : test.serial.skip;

withPgbench("pgbench: every built-in script in every query mode, with foreign keys", async (t) => {
	await pgbench("-i", "-I", "dtgvpf", "-q");
	const run = ["-c", "4", "-t", "10", "--max-tries=100", "--no-vacuum"];
	for (const mode of ["simple", "extended", "prepared"]) {
		for (const script of ["tpcb-like", "simple-update", "select-only"]) {
			const told = await pgbench(...run, "-M", mode, "-b", script);
			t.regex(told, /number of transactions actually processed: 40\/40/, `${mode} ${script}`);
			t.regex(told, /number of failed transactions: 0 /, `${mode} ${script}`);
		}
	}
	const sums = await psql(
		url(),
		"-At",
		"-c",
		`SELECT (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers),
		(SELECT count(*) FROM pgbench_history)`,
	);
	// simple-update leaves branches and tellers as they are, and writes history.
	t.is(sums.trim(), "t|240");
});

withPgbench("pgbench: rows made by the server, and partitions refused by name", async (t) => {
	await pgbench("-i", "-I", "dtGvp", "-q");
	t.is((await psql(url(), "-At", "-c", "SELECT count(*) FROM pgbench_accounts")).trim(), "100000");
	const error = await t.throwsAsync(pgbench("-i", "-I", "dt", "--partitions=3"));
	t.regex(error.message, /partitioned tables are not supported/);
});

const scripts = [
	"oltp_point_select",
	"oltp_read_only",
	"oltp_read_write",
	"oltp_write_only",
	"oltp_insert",
	"oltp_delete",
	"oltp_update_index",
	"oltp_update_non_index",
	"select_random_points",
	"select_random_ranges",
];

const withSysbench = runs("sysbench") ? test.serial : test.serial.skip;

withSysbench(`sysbench: ${scripts.join(", ")}`, async (t) => {
	const { host, port, user, database } = parts();
	const sysbench = (script: string, command: string): Promise<string> =>
		output("sysbench", [
			script,
			"--db-driver=pgsql",
			`--pgsql-host=${host}`,
			`--pgsql-port=${port}`,
			`--pgsql-user=${user}`,
			`--pgsql-db=${database}`,
			"--tables=2",
			"--table-size=200",
			"--threads=2",
			"--events=20",
			"--time=0",
			command,
		]);
	await sysbench("oltp_read_write", "prepare");
	for (const script of scripts) {
		const told = await sysbench(script, "run");
		t.regex(told, /total number of events:\s+20\b/, script);
	}
	t.is((await psql(url(), "-At", "-c", "SELECT count(*) > 150 FROM sbtest1")).trim(), "t");
	await sysbench("oltp_read_write", "cleanup");
});
