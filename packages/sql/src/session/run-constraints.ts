/** SET CONSTRAINTS, and what is left of deferred ones before the commit. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { constraintsOf, type NamedConstraint } from "../catalog/system-relations.ts";
import type { QualifiedName, Statement } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { executionFor } from "./evaluate.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type SetConstraints = Extract<Statement, { kind: "set-constraints" }>;

export async function setConstraints(
	state: SessionState,
	block: TransactionBlock,
	{ names, deferred }: SetConstraints,
): Promise<string> {
	if (!block.explicit) {
		state.notice("WARNING", "25P01", "SET CONSTRAINTS can only be used in transaction blocks");
	}
	const catalog = await state.catalogOf(block, await state.open(block));
	const oids = names.flatMap((name) => named(state, catalog, name));
	block.constraints.set(names.length === 0 ? undefined : oids, deferred);
	await runDue(state, block);
	return "SET CONSTRAINTS";
}

/** All of that name in the first schema that has one. Throws 42704, 42809. */
function named(
	state: SessionState,
	catalog: CatalogSnapshot,
	name: QualifiedName,
): readonly number[] {
	const [schema, base] = splitName(name);
	const all = [...constraintsOf(catalog)].filter((one) => one.name === base);
	for (const one of schema === undefined ? state.context.searchPath : [schema]) {
		const here = all.filter(({ table }) => table.schema === one);
		if (here.length === 0) continue;
		const fixed = here.find((constraint) => !isDeferrable(constraint));
		if (fixed === undefined) return here.map(({ oid }) => oid);
		throw new DatabaseError("42809", `constraint "${base}" is not deferrable`);
	}
	throw new DatabaseError("42704", `constraint "${name.parts.join(".")}" does not exist`);
}

const isDeferrable = ({ of }: NamedConstraint): boolean =>
	(of.kind === "foreign-key" && of.key.deferrable) ||
	(of.kind === "key" && of.index.deferrable !== undefined);

/** What is not deferred any more is looked at. Throws 23503, 23505. */
async function runDue(state: SessionState, block: TransactionBlock): Promise<void> {
	const { constraints } = block;
	const due = constraints.takeDue();
	if (due.length === 0) return;
	const transaction = await state.open(block);
	transaction.beginStatement(state.cancel);
	await transaction.readTimestamp();
	const execution = await executionFor(state, block);
	if (due.some(({ schemaVersion }) => schemaVersion !== execution.store.schemaVersion)) {
		throw new DatabaseError(
			"40001",
			"could not serialize access due to a concurrent schema change",
			{ hint: "The transaction might succeed if retried." },
		);
	}
	await execution.uniques.run(due.filter((event) => event.kind === "unique"));
	await execution.references.run(due.filter((event) => event.kind !== "unique"));
}

/** Before a commit: nothing is deferred any longer. */
export async function runDeferred(state: SessionState, block: TransactionBlock): Promise<void> {
	if (block.constraints.isEmpty) return;
	block.constraints.set(undefined, false);
	await runDue(state, block);
}
