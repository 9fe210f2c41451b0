/**
 * LOCK TABLE ... IN ACCESS SHARE MODE, which pg_dump says before it reads. In PostgreSQL it keeps tables from being dropped or altered
 * until the transaction ends. Here a transaction with a snapshot reads a table as it was then, with the schema of then, whatever becomes
 * of it: there is nothing to keep away. What stronger modes promise nothing here keeps, so they are refused.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasTableRight } from "../auth/privileges.ts";
import { relationOf } from "../catalog/snapshot.ts";
import type { Statement } from "../parser/ast.ts";
import { unsupported } from "../parser/unsupported.ts";
import { binderFor } from "./evaluate.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

export async function lockTables(
	state: SessionState,
	block: TransactionBlock,
	{ tables, mode }: Extract<Statement, { kind: "lock" }>,
): Promise<string> {
	if (!block.explicit) {
		throw new DatabaseError("25P01", "LOCK TABLE can only be used in transaction blocks");
	}
	if (mode !== "ACCESS SHARE") {
		throw unsupported(
			`LOCK TABLE ... IN ${mode} MODE is`,
			"Lock rows, with SELECT ... FOR UPDATE, or what you agree on, with pg_advisory_xact_lock.",
		);
	}
	if (block.characteristics.isolation === "read committed") {
		throw unsupported(
			"LOCK TABLE in a READ COMMITTED transaction is",
			"Begin it with ISOLATION LEVEL REPEATABLE READ: it reads tables as they were when it began.",
		);
	}
	// From here on it reads as of now, whatever it has read of the catalog before.
	await (await state.open(block)).readTimestamp();
	const binder = await binderFor(state, block, undefined, []);
	for (const name of tables) {
		const found = binder.lookup(name);
		if (found === undefined) {
			throw new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);
		}
		if (found.kind === "virtual") continue;
		if (found.kind === "index" || found.kind === "sequence") {
			throw new DatabaseError("42809", `cannot lock relation "${name.parts.at(-1)}"`, {
				detail: `This operation is not supported for ${found.kind === "index" ? "indexes" : "sequences"}.`,
			});
		}
		const relation = relationOf(found);
		if (!hasTableRight(binder.environment.catalog, state.identity.currentOid, relation, "SELECT")) {
			throw new DatabaseError("42501", `permission denied for ${relation.kind} ${relation.name}`);
		}
	}
	return "LOCK TABLE";
}
