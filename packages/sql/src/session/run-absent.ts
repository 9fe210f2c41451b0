/** DROP ... IF EXISTS of kinds of objects that nobody can make: there is none, and that is what it says. */
import { DatabaseError } from "@quorate/keys/database-error";
import { findRelation } from "../catalog/system-names.ts";
import { aggregateCandidates, scalarCandidates } from "../functions/table.ts";
import type { Statement } from "../parser/ast.ts";
import { binderFor } from "./evaluate.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type DropAbsent = Extract<Statement, { kind: "drop-absent" }>;

const callable = new Set(["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"]);

/** What PostgreSQL calls them, where that is not what the statement does. */
const objectNames: ReadonlyMap<string, string> = new Map([
	["FOREIGN DATA WRAPPER", "foreign-data wrapper"],
	["STATISTICS", "statistics object"],
]);

/** The command tag. Throws 2BP01, 42809. */
export async function dropAbsent(
	state: SessionState,
	block: TransactionBlock,
	{ tag, names, of }: DropAbsent,
): Promise<string> {
	const kind = objectNames.get(tag) ?? tag.toLowerCase();
	const { catalog } = (await binderFor(state, block, undefined, [])).environment;
	const skip = (what: string): void =>
		state.notice("NOTICE", "00000", `${what} does not exist, skipping`);
	for (const name of names) {
		const [base = "", schema] = name.split(".").reverse();
		const isRelation = tag === "MATERIALIZED VIEW" || tag === "FOREIGN TABLE";
		const other = isRelation ? findRelation(catalog, state.context, schema, base) : undefined;
		if (other !== undefined) {
			const is = catalog.relation(other)?.kind ?? "index";
			throw new DatabaseError("42809", `"${base}" is not a ${kind}`, {
				hint: `Use DROP ${is.toUpperCase()} to remove ${is === "index" ? "an" : "a"} ${is}.`,
			});
		}
		if (schema !== undefined && catalog.schemas.byName(schema) === undefined) {
			skip(`schema "${schema}"`);
		} else if (callable.has(tag)) {
			refuseBuiltin(kind, base);
			skip(`${kind} ${name}()`);
		} else if (of === undefined) {
			skip(`${kind} "${base}"`);
		} else if (findRelation(catalog, state.context, of.parts.at(-2), of.parts.at(-1)!)) {
			skip(`${kind} "${base}" for relation "${of.parts.at(-1)}"`);
		} else {
			skip(`relation "${of.parts.join(".")}"`);
		}
	}
	return `DROP ${tag}`;
}

/** Whatever its arguments are: one by that name belongs to the system. */
function refuseBuiltin(kind: string, name: string): void {
	if (scalarCandidates(name).length + aggregateCandidates(name).length === 0) return;
	throw new DatabaseError(
		"2BP01",
		`cannot drop ${kind} ${name} because it is required by the database system`,
	);
}
