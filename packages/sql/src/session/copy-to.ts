/** COPY table or query TO STDOUT. */

import { DatabaseError } from "@quorate/keys/database-error";
import { isGenerated, liveColumns } from "../catalog/descriptor.ts";
import { Env } from "../execute/env.ts";
import type { Query } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { targetSlots } from "../plan/bind-table.ts";
import type { Binder } from "../plan/binder.ts";
import type { Datum } from "../types/datum.ts";
import { typeByOid } from "../types/registry.ts";
import { asOfClause, enterPast } from "./as-of.ts";
import type { CopyStatement } from "./copy.ts";
import { BinaryTuples } from "./copy-binary.ts";
import { csvField } from "./copy-csv.ts";
import { generatedInCopy, requireRelation } from "./copy-from.ts";
import { type CopyOptions, copyOptions } from "./copy-options.ts";
import { textField } from "./copy-text.ts";
import { binderFor, executionFor } from "./evaluate.ts";
import { bindAndPlan } from "./prepared.ts";
import { authorizeRun } from "./run-planned.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import type { ResultColumn, ResultSink } from "./types.ts";

/** None: all there are. */
function copiedColumns(binder: Binder, { table: name, columns }: CopyStatement): readonly string[] {
	const found = binder.lookup(name!);
	if (found?.kind === "view") {
		throw new DatabaseError("42809", `cannot copy from view "${found.view.name}"`, {
			hint: "Try the COPY (SELECT ...) TO variant.",
		});
	}
	if (found?.kind === "virtual") targetSlots(found.table, columns, []);
	if (found?.kind !== "table") return columns;
	const live = liveColumns(found.table);
	targetSlots({ name: found.table.name, columns: live }, columns, []);
	if (!live.some(isGenerated)) return columns;
	for (const column of live) {
		if (isGenerated(column) && columns.includes(column.name)) throw generatedInCopy(column);
	}
	if (columns.length > 0) return columns;
	return live.filter((column) => !isGenerated(column)).map((column) => column.name);
}

/** COPY t (a, b) TO reads what SELECT a, b FROM t reads. */
function queryOf(statement: CopyStatement, binder: Binder): Query {
	if (statement.query !== undefined) return statement.query;
	const at = statement.at;
	const columns = copiedColumns(binder, statement);
	return {
		kind: "query",
		with: [],
		recursive: false,
		body: {
			kind: "select",
			distinct: "all",
			items:
				columns.length === 0
					? [{ expression: { kind: "star", qualifier: [], at }, alias: undefined }]
					: columns.map((name) => ({
							expression: { kind: "column", name: { parts: [name], at }, at },
							alias: undefined,
						})),
			from: [{ kind: "table", name: statement.table!, alias: undefined, columnAliases: [], at }],
			where: undefined,
			groupBy: [],
			having: undefined,
			at,
		},
		orderBy: [],
		limit: undefined,
		offset: undefined,
		locking: [],
		at,
	};
}

type FormatRow = (row: readonly Datum[]) => Uint8Array;

function formatter(
	state: SessionState,
	columns: readonly ResultColumn[],
	options: CopyOptions,
): FormatRow {
	const { context } = state;
	const types = columns.map((column) => typeByOid(column.type.oid)!);
	const forced = columns.map(
		(column) => options.forceQuote === "*" || options.forceQuote.includes(column.name),
	);
	const csv = options.format === "csv";
	return (row) => {
		const fields = row.map((value, i) => {
			if (value === null) return options.nullText;
			const text = types[i]!.format(value, context);
			return csv ? csvField(text, options, forced[i]!, row.length === 1) : textField(text, options);
		});
		return Buffer.from(`${fields.join(options.delimiter)}\n`, "utf8");
	};
}

export async function copyTo(
	state: SessionState,
	block: TransactionBlock,
	statement: CopyStatement,
	lexed: LexedStatement,
	sink: ResultSink,
): Promise<string> {
	const options = copyOptions(statement.options);
	const asOf = statement.query === undefined ? undefined : asOfClause(statement.query);
	if (asOf !== undefined) await enterPast(state, block, asOf, lexed);
	const binder = await binderFor(state, block, lexed, []);
	if (statement.table !== undefined) requireRelation(binder, statement.table);
	const bound = bindAndPlan(
		state,
		queryOf(statement, binder),
		lexed,
		[],
		binder.environment.catalog,
	);
	await authorizeRun(state, block, bound);
	const { plan } = bound;
	if (plan.hasChanges === true) {
		throw new DatabaseError(
			"0A000",
			"COPY of a query with data-modifying statements is not supported",
			{ hint: "Run the statement with RETURNING." },
		);
	}
	const columns = plan.columns ?? [];
	const binary = options.format === "binary" ? new BinaryTuples(columns, state.context) : undefined;
	const format: FormatRow =
		binary === undefined ? formatter(state, columns, options) : (row) => binary.tuple(row);
	const env = new Env(
		await executionFor(state, block),
		plan.readArguments(lexed.literals, [], state.context),
	);
	sink.copyOutStart(binary === undefined ? "text" : "binary", columns.length);
	let count = 0;
	if (options.header !== "no") {
		const names = columns.map(({ name }) =>
			options.format === "csv" ? csvField(name, options, false, false) : textField(name, options),
		);
		await sink.copyOut(Buffer.from(`${names.join(options.delimiter)}\n`, "utf8"));
	}
	for await (const batch of plan.run(env)) {
		count += batch.length;
		for (const row of batch) {
			const waiting = sink.copyOut(format(row));
			if (waiting !== undefined) await waiting;
		}
	}
	if (binary !== undefined) await sink.copyOut(binary.end());
	sink.copyOutEnd();
	return `COPY ${count}`;
}
