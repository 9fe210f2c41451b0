/** What must be in the tables after a load: each acknowledged transaction once and whole, no failed one, equal sums. */
import type { PgClient } from "quorate/client/pg-client";
import type { Attempt } from "./outcome.ts";

export interface HistoryRow {
	readonly id: number;
	readonly account: number;
	readonly teller: number;
	readonly branch: number;
	readonly delta: number;
}

export interface Sums {
	readonly accounts: number;
	readonly tellers: number;
	readonly branches: number;
	readonly history: number;
}

export interface TpcbState {
	readonly ids: readonly number[];
	readonly history: readonly HistoryRow[];
	readonly sums: Sums;
}

const violationsShown = 20;

/** In one transaction, so that it is one state. */
export async function readState(client: PgClient): Promise<TpcbState> {
	await client.query("BEGIN");
	const ids = await numbers(client, "SELECT id FROM ids ORDER BY id");
	const history = await numbers(
		client,
		"SELECT filler, aid, tid, bid, delta FROM pgbench_history ORDER BY filler",
	);
	const sums = await readSums(client);
	await client.query("COMMIT");
	return {
		ids: ids.map((row) => row[0]!),
		history: history.map(([id, account, teller, branch, delta]) => ({
			id: id!,
			account: account!,
			teller: teller!,
			branch: branch!,
			delta: delta!,
		})),
		sums,
	};
}

export async function readSums(client: PgClient): Promise<Sums> {
	const sum = async (column: string, table: string): Promise<number> => {
		const rows = await numbers(client, `SELECT coalesce(sum(${column}), 0) FROM ${table}`);
		return rows[0]![0]!;
	};
	return {
		accounts: await sum("abalance", "pgbench_accounts"),
		tellers: await sum("tbalance", "pgbench_tellers"),
		branches: await sum("bbalance", "pgbench_branches"),
		history: await sum("delta", "pgbench_history"),
	};
}

/** [] where the four are one number. */
export function unequalSums(sums: Sums): readonly string[] {
	return new Set(Object.values(sums)).size === 1 ? [] : [`sums differ: ${JSON.stringify(sums)}`];
}

/** Sentences that say what is wrong; [] where nothing is. */
export function violations(attempts: readonly Attempt[], state: TpcbState): readonly string[] {
	const found: string[] = [...unequalSums(state.sums)];
	const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]));
	const ids = new Set(state.ids);
	if (ids.size !== state.ids.length) {
		found.push("ids holds a number twice");
	}
	const rows = new Map<number, HistoryRow[]>();
	for (const row of state.history) {
		rows.set(row.id, [...(rows.get(row.id) ?? []), row]);
	}
	for (const attempt of attempts) {
		found.push(...attemptViolations(attempt, ids.has(attempt.id), rows.get(attempt.id) ?? []));
	}
	for (const id of new Set([...ids, ...rows.keys()])) {
		if (!byId.has(id)) {
			found.push(`transaction ${id} was never sent`);
		}
	}
	const more = found.length - violationsShown;
	return more <= 0 ? found : [...found.slice(0, violationsShown), `and ${more} more`];
}

function attemptViolations(
	attempt: Attempt,
	inIds: boolean,
	history: readonly HistoryRow[],
): readonly string[] {
	const { id, outcome, node } = attempt;
	const found: string[] = [];
	const what = `transaction ${id} (node ${node}, ${outcome.kind})`;
	if (outcome.kind === "ok" && !inIds) {
		found.push(`${what} is lost`);
	}
	if (outcome.kind === "failed" && inIds) {
		found.push(`${what} has happened, although the client was told ${outcome.code}`);
	}
	if (history.length !== (inIds ? 1 : 0)) {
		found.push(`${what} has ${history.length} rows in history and ${inIds ? 1 : 0} in ids`);
	}
	for (const row of history) {
		const { account, teller, branch, delta } = attempt;
		if (
			row.account !== account ||
			row.teller !== teller ||
			row.branch !== branch ||
			row.delta !== delta
		) {
			found.push(`${what} left ${JSON.stringify(row)} instead of what was sent`);
		}
	}
	return found;
}

async function numbers(client: PgClient, query: string): Promise<readonly (readonly number[])[]> {
	const [result] = await client.query(query);
	return (result?.rows ?? []).map((row) => row.map((value) => Number(value)));
}
