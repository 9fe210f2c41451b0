/** What EXECUTE runs, and what it gives to it. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ExecuteStatement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { plainType } from "../plan/bound.ts";
import type { Datum } from "../types/datum.ts";
import { evaluateExpressions } from "./evaluate.ts";
import type { Prepared } from "./prepared.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

export interface Executed {
	readonly prepared: Prepared;
	readonly parameters: readonly Datum[];
}

/** Throws 26000, 42601, and what its arguments do. */
export async function executedOf(
	state: SessionState,
	block: TransactionBlock,
	{ name, args }: ExecuteStatement,
	lexed: LexedStatement,
): Promise<Executed> {
	const prepared = state.statements.get(name);
	if (prepared === undefined) throw noStatement(name);
	const wanted = prepared.parameterTypes;
	if (args.length !== wanted.length) {
		throw new DatabaseError(
			"42601",
			`wrong number of parameters for prepared statement "${name}"`,
			{ detail: `Expected ${wanted.length} parameters but got ${args.length}.` },
		);
	}
	const parameters =
		wanted.length === 0
			? []
			: await evaluateExpressions(state, block, args, wanted.map(plainType), lexed);
	return { prepared, parameters };
}

export const noStatement = (name: string): DatabaseError =>
	new DatabaseError(
		"26000",
		name === ""
			? "unnamed prepared statement does not exist"
			: `prepared statement "${name}" does not exist`,
	);
