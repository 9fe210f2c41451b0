/** FOR UPDATE and FOR SHARE: which tables a query locks as it reads them. */
import { DatabaseError } from "@quorate/keys/database-error";
import { strongerLock } from "@quorate/replica/lock-strength";
import type { Query } from "../parser/ast.ts";
import type { AccessCollector } from "./access.ts";
import type { Binder } from "./binder.ts";
import type { LockIntent, LogicalBody, LogicalFrom } from "./logical.ts";

type Locking = Query["locking"][number];

function refuse(query: Query, body: LogicalBody, clause: string): void {
	const not = (what: string): DatabaseError =>
		new DatabaseError("0A000", `${clause} is not allowed with ${what}`);
	if (body.kind === "set-operation") throw not("UNION/INTERSECT/EXCEPT");
	if (body.kind === "values") throw not("VALUES");
	if (query.body.kind !== "select") return;
	if (body.distinct !== undefined) throw not("DISTINCT clause");
	if (query.body.groupBy.length > 0 || query.body.grouping !== undefined)
		throw not("GROUP BY clause");
	if (query.body.having !== undefined) throw not("HAVING clause");
	if (body.aggregation !== undefined) throw not("aggregate functions");
	if (body.windows.length > 0) throw not("window functions");
	if (body.sets !== undefined) throw not("set-returning functions in the target list");
}

/** Of several clauses for one table the strongest counts, and the least patient. */
function lockOf(before: LockIntent | undefined, { strength, wait }: Locking): LockIntent {
	if (before === undefined) return { strength, wait };
	const waits = [before.wait, wait];
	const least = waits.find((w) => w === "nowait") ?? waits.find((w) => w !== "block") ?? "block";
	return { strength: strongerLock(before.strength, strength), wait: least };
}

function lockItem(
	access: AccessCollector,
	item: LogicalFrom,
	locking: Locking,
	found: Set<string>,
): void {
	if (item.kind === "join") {
		lockItem(access, item.left, locking, found);
		lockItem(access, item.right, locking, found);
		return;
	}
	const name = item.relation.name;
	if (locking.of.length > 0 && !locking.of.includes(name)) return;
	found.add(name);
	if (item.kind === "sequence") {
		throw new DatabaseError("42809", `cannot lock rows in sequence "${item.sequence.name}"`);
	}
	if (item.kind === "table") {
		item.lock = lockOf(item.lock, locking);
		access.locks(item.table.oid);
	}
	if (item.kind === "subquery" && item.query.body.kind === "select") {
		if (item.view !== undefined) access.locks(item.view.oid);
		for (const inner of item.query.body.from) {
			lockItem(item.view?.access ?? access, inner, { ...locking, of: [] }, found);
		}
	}
}

export function applyLocking(binder: Binder, query: Query, body: LogicalBody): void {
	for (const locking of query.locking) {
		const clause = `FOR ${locking.strength.toUpperCase()}`;
		refuse(query, body, clause);
		if (body.kind !== "select") continue;
		const found = new Set<string>();
		for (const item of body.from) lockItem(binder.access, item, locking, found);
		const missing = locking.of.find((name) => !found.has(name));
		if (missing !== undefined) {
			throw new DatabaseError(
				"42P01",
				`relation "${missing}" in ${clause} clause not found in FROM clause`,
			);
		}
	}
}
