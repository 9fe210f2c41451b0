/** Transactions that change every row of a table of some thousand rows: they are seen whole or not at all. */
import { checkMonotonic } from "@quorate/checker/monotonic";
import { pairs } from "@quorate/checker/transactions";
import type { Mode } from "../net/session.ts";
import { explained, pick, verdict, type Work, type Workload } from "./workload.ts";

const rowCount = 1_500;
const modes: readonly Mode[] = ["pessimistic", "optimistic"];

const read: Work = {
	f: "read",
	value: null,
	timeoutMs: 20_000,
	run: (session) =>
		session.alone(async () => {
			const [row] = await session.query("SELECT min(v), max(v), count(*) FROM large");
			return (row ?? []).map(Number);
		}),
};

const change = (mode: Mode): Work => ({
	f: "change",
	value: null,
	timeoutMs: 20_000,
	run: (session) =>
		session.transaction({ mode }, async () => {
			// In parts, with what they do not need to be told apart from each other between them.
			await session.query(`UPDATE large SET v = v + 1, pad = 'y' || v WHERE k <= ${rowCount / 2}`);
			const rows = await session.query(
				`UPDATE large SET v = v + 1, pad = 'z' || v WHERE k > ${rowCount / 2} RETURNING v`,
			);
			return Number(rows[0]?.[0]);
		}),
});

export const large = (): Workload => ({
	name: "large",
	about: "a transaction over many rows and ranges is seen whole or not at all",
	schema: [
		"CREATE TABLE large (k int PRIMARY KEY, v int NOT NULL, pad text)",
		`INSERT INTO large SELECT k, 0, 'x' FROM generate_series(1, ${rowCount}) AS k`,
		"ALTER TABLE large SPLIT AT VALUES (300), (600), (900), (1200)",
	],
	split: (random) => `ALTER TABLE large SPLIT AT VALUES (${random.between(1, rowCount)})`,
	next: ({ random, index }) => (index < 2 ? change(pick(random, modes)) : read),
	finals: () => [read],
	check: (history) => {
		const all = pairs(history);
		const ok = all.filter(({ status }) => status === "ok");
		const observations = ok.map(({ id, f, answered, invoked, completed }) => {
			const value = f === "read" ? (answered as readonly number[])[0]! : (answered as number);
			return { id, key: "large", value, invoked, completed };
		});
		const torn = ok.flatMap(({ id, f, answered }) => {
			if (f !== "read") return [];
			const [least, most, count] = answered as readonly number[];
			const explanation = `#${id} saw ${count} rows from version ${least} to ${most}`;
			return least === most && count === rowCount ? [] : [{ explanation }];
		});
		const { decreases } = checkMonotonic(observations);
		const changes = ok.filter(({ f }) => f === "change").length;
		const unknown = all.filter(({ f, status }) => f === "change" && status === "info").length;
		const last = Math.max(0, ...observations.map(({ value }) => value));
		const lost =
			last >= changes && last <= changes + unknown
				? []
				: [{ explanation: `version ${last} after ${changes} changes and ${unknown} unknown` }];
		const findings = [
			...explained("torn", torn),
			...explained("decrease", decreases),
			...explained("wrong-count", lost),
		];
		const reads = ok.length - changes;
		return verdict(findings, { changes, reads }, changes > 0 && reads > 0);
	},
});
