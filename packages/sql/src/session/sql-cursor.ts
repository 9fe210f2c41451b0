/** DECLARE, FETCH, MOVE and CLOSE. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { CursorOption, Query, Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import type { Datum } from "../types/datum.ts";
import { Cursor } from "./cursor.ts";
import type { Output } from "./output.ts";
import { preparedOf } from "./prepared.ts";
import { startPlanned } from "./run-planned.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type CursorStatement = Extract<Statement, { kind: "declare" | "fetch" | "close" }>;
type Declare = Extract<CursorStatement, { kind: "declare" }>;

/** `types`: of the parameters. The command tag. */
export async function runCursorStatement(
	state: SessionState,
	block: TransactionBlock,
	statement: CursorStatement,
	lexed: LexedStatement,
	types: readonly number[],
	parameters: readonly Datum[],
	output: Output,
): Promise<string> {
	const { cursors } = state;
	switch (statement.kind) {
		case "declare":
			await declare(state, block, statement, lexed, types, parameters);
			return "DECLARE CURSOR";
		case "fetch":
			return fetch(state, statement, output);
		default:
			if (statement.name === undefined) await cursors.closeAll();
			else await cursors.close(statement.name);
			return statement.name === undefined ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
	}
}

async function declare(
	state: SessionState,
	block: TransactionBlock,
	statement: Declare,
	lexed: LexedStatement,
	types: readonly number[],
	parameters: readonly Datum[],
): Promise<void> {
	const { name, options, hold, query } = statement;
	const scroll = options.includes("scroll")
		? true
		: options.includes("no scroll")
			? false
			: query.locking.length > 0
				? false
				: undefined;
	if (!hold && !block.explicit) {
		throw new DatabaseError("25P01", "DECLARE CURSOR can only be used in transaction blocks");
	}
	refuseBoth(statement, "scroll", "no scroll");
	refuseBoth(statement, "asensitive", "insensitive");
	refuseQuery(statement);
	state.cursors.refuseDuplicate(name);
	state.portals.requireRoom(name);
	const bare = preparedOf(lexed, types, undefined, undefined, undefined);
	const prepared = { ...bare, inner: query, isForCursor: true } as const;
	const running = await startPlanned(state, block, prepared, parameters);
	const columns = running.plan.columns ?? [];
	const { statementMemory: memoryLimit, memoryPool } = state.services;
	const made = { statement: lexed.query, since: state.context.statementStart };
	const { cursorRows } = running.plan;
	const asked = { scroll, hold, binary: options.includes("binary") };
	const cursor = { name, columns, cursorRows, ...asked, ...made, memoryLimit, memoryPool };
	state.cursors.add(new Cursor(cursor, running));
}

function refuseBoth({ options }: Declare, a: CursorOption, b: CursorOption): void {
	if (!options.includes(a) || !options.includes(b)) return;
	throw new DatabaseError("42P11", `cannot specify both ${a.toUpperCase()} and ${b.toUpperCase()}`);
}

function refuseQuery({ query, options, hold }: Declare): void {
	if (query.with.some((table) => table.query.kind !== "query")) {
		throw new DatabaseError(
			"0A000",
			"DECLARE CURSOR must not contain data-modifying statements in WITH",
		);
	}
	const strength = lockOf(query);
	if (strength === undefined) return;
	const refused = (what: string, detail: string): DatabaseError =>
		new DatabaseError("0A000", `DECLARE ${what} ... FOR ${strength} is not supported`, { detail });
	if (hold) throw refused("CURSOR WITH HOLD", "Holdable cursors must be READ ONLY.");
	if (options.includes("scroll"))
		throw refused("SCROLL CURSOR", "Scrollable cursors must be READ ONLY.");
	if (options.includes("insensitive")) {
		throw new DatabaseError(
			"42P11",
			`DECLARE INSENSITIVE CURSOR ... FOR ${strength} is not valid`,
			{
				detail: "Insensitive cursors must be READ ONLY.",
			},
		);
	}
}

const lockOf = (query: Query): string | undefined => query.locking[0]?.strength.toUpperCase();

async function fetch(
	state: SessionState,
	statement: Extract<CursorStatement, { kind: "fetch" }>,
	output: Output,
): Promise<string> {
	const cursor = state.cursors.get(statement.name);
	if (!statement.move) output.columns(cursor.columns, true, cursor.binary ? "binary" : "text");
	let count = 0;
	for await (const batch of cursor.fetch(statement.direction)) {
		count += batch.length;
		if (statement.move) continue;
		const waiting = output.rows(batch);
		if (waiting !== undefined) await waiting;
	}
	return `${statement.move ? "MOVE" : "FETCH"} ${count}`;
}
