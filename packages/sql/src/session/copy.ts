/** COPY: which way, and from or to what. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { copyFrom } from "./copy-from.ts";
import { copyTo } from "./copy-to.ts";
import type { Output } from "./output.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

export type CopyStatement = Extract<Statement, { kind: "copy" }>;

export async function runCopy(
	state: SessionState,
	block: TransactionBlock,
	statement: CopyStatement,
	lexed: LexedStatement,
	output: Output,
): Promise<string> {
	if (typeof statement.target === "object") {
		throw new DatabaseError("0A000", "COPY to or from a file on the server is not supported", {
			hint: "Use COPY ... FROM STDIN or TO STDOUT; psql's \\copy does this with a file of the client.",
		});
	}
	return statement.direction === "from"
		? copyFrom(state, block, statement, output)
		: copyTo(state, block, statement, lexed, output.sink);
}
