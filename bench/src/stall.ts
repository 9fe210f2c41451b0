/**
 * How long one INSERT of a megabyte keeps another session waiting: that one asks for one row again and again, and its
 * slowest answer while the INSERT ran is what is reported.
 */
import { connectTo, runSql, type Target } from "./target.ts";

export interface Stall {
	readonly insertMs: number;
	/** The slowest answers: before the INSERT, and while it ran. */
	readonly quietMs: number;
	readonly stalledMs: number;
}

const rowCount = 10_000;
const rowBytes = 100;
const quietQueries = 500;

export async function measureStall(target: Target): Promise<Stall> {
	await runSql(target, [
		"DROP TABLE IF EXISTS bench_stall",
		"CREATE TABLE bench_stall (id int PRIMARY KEY, filler text)",
		"INSERT INTO bench_stall VALUES (0, 'row')",
	]);
	const port = target.ports()[0]!;
	const [asking, inserting] = await Promise.all([connectTo(target, port), connectTo(target, port)]);
	const ask = async (): Promise<number> => {
		const start = performance.now();
		await asking.query("SELECT filler FROM bench_stall WHERE id = 0");
		return performance.now() - start;
	};
	try {
		let quietMs = 0;
		for (let n = 0; n < quietQueries; n++) {
			// The first ones compile and plan.
			const ms = await ask();
			quietMs = n < quietQueries / 2 ? 0 : Math.max(quietMs, ms);
		}
		const text = insertText();
		const start = performance.now();
		let insertMs: number | undefined;
		const insert = inserting.query(text).then(() => {
			insertMs = performance.now() - start;
		});
		let stalledMs = 0;
		while (insertMs === undefined) {
			stalledMs = Math.max(stalledMs, await ask());
			await Promise.race([insert, undefined]);
		}
		await insert;
		return { insertMs, quietMs, stalledMs };
	} finally {
		await Promise.all([asking.end(), inserting.end()]);
	}
}

function insertText(): string {
	const filler = "x".repeat(rowBytes - 12);
	const rows = Array.from({ length: rowCount }, (_, n) => `(${n + 1}, '${filler}')`);
	return `INSERT INTO bench_stall VALUES ${rows.join(", ")}`;
}
