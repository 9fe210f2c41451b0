/** EXPLAIN [ANALYZE]: the operators of a plan, and what they did. */

import { DatabaseError } from "@quorate/keys/database-error";
import { ticksPerMs } from "@quorate/keys/timestamp";
import { withLabels } from "../catalog/enum-labels.ts";
import { Env } from "../execute/env.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import type { Option, Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { isPlanned } from "../plan/plan-statement.ts";
import type { Datum } from "../types/datum.ts";
import { asOfClause, enterPast } from "./as-of.ts";
import { binderFor, executionFor } from "./evaluate.ts";
import type { Output } from "./output.ts";
import { bindAndPlan } from "./prepared.ts";
import { textColumn } from "./result-columns.ts";
import { authorizeRun } from "./run-planned.ts";
import type { SessionState } from "./session-state.ts";
import { noStatement } from "./sql-prepare.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type Explain = Extract<Statement, { kind: "explain" }>;

const options = new Set([
	"analyze",
	"verbose",
	"costs",
	"settings",
	"buffers",
	"wal",
	"timing",
	"summary",
	"format",
]);

type Statistics = ReadonlyMap<object, { rows: number; loops: number; ms: number }>;

const isOn = (option: Option | undefined): boolean =>
	option !== undefined &&
	(option.value === undefined ||
		option.value === true ||
		option.value === "on" ||
		option.value === 1);

export async function runExplain(
	state: SessionState,
	block: TransactionBlock,
	statement: Explain,
	lexed: LexedStatement,
	types: readonly number[],
	parameters: readonly Datum[],
	output: Output,
): Promise<string> {
	for (const { name, at } of statement.options) {
		if (!options.has(name)) {
			throw new DatabaseError("42601", `unrecognized EXPLAIN option "${name}"`, {
				position: at + 1,
			});
		}
	}
	const formatOption = statement.options.find((option) => option.name === "format");
	const format = formatOption?.value;
	if (format !== undefined && String(format).toLowerCase() !== "text") {
		if (!["xml", "json", "yaml"].includes(String(format).toLowerCase())) {
			throw new DatabaseError(
				"22023",
				`unrecognized value for EXPLAIN option "format": "${format}"`,
				{ position: formatOption!.at + 1 },
			);
		}
		throw new DatabaseError(
			"0A000",
			`EXPLAIN (FORMAT ${String(format).toUpperCase()}) is not supported`,
			{
				hint: "Use FORMAT TEXT.",
			},
		);
	}
	const analyze = isOn(statement.options.find((option) => option.name === "analyze"));
	const inner = innerStatement(state, statement.statement);
	const asOf = asOfClause(inner);
	if (asOf !== undefined) await enterPast(state, block, asOf, lexed);
	const binder = await binderFor(state, block, lexed, []);
	const bound = bindAndPlan(state, inner, lexed, types, binder.environment.catalog);
	await authorizeRun(state, block, bound);
	const { plan } = bound;
	let statistics: Statistics | undefined;
	let total = 0;
	if (analyze) {
		const { clock } = state.services.runtime;
		state.readClosed(block, plan);
		const execution = await executionFor(state, block);
		statistics = execution.statistics = new Map();
		const args = plan.readArguments(lexed.literals, parameters, state.context);
		const since = clock.monotonicMs();
		// The whole plan runs, without the short way for single rows.
		for await (const _batch of plan.run(new Env(execution, args))) {
			const pause = execution.pause();
			if (pause !== undefined) await pause;
		}
		await execution.finish();
		total = clock.monotonicMs() - since;
	}
	const lines: string[] = [];
	describe(plan.root, 0, statistics, lines);
	if (analyze) lines.push(...(await describePast(state, block)));
	if (analyze) lines.push(`Execution Time: ${total.toFixed(3)} ms`);
	output.columns([textColumn("QUERY PLAN")]);
	const { catalog, searchPath } = binder.environment;
	await output.rows(lines.map((line) => [withLabels(catalog, searchPath, line)]));
	return "EXPLAIN";
}

/** How old what a transaction that reads the past has seen is, in the oracle's time, and who it was read from. */
async function describePast(
	state: SessionState,
	{ asOf, transaction, characteristics }: TransactionBlock,
): Promise<string[]> {
	const readAt = transaction?.readAt;
	if (readAt === undefined || (asOf === undefined && !characteristics.followerReads)) return [];
	const { placement } = state.services;
	const now = await placement.issue().then(
		({ timestamp }) => timestamp,
		() => placement.seen(),
	);
	const ms = (now - readAt) / ticksPerMs;
	const { followers, leaseholders } = transaction!.readPlaces;
	return [
		`Read Timestamp: ${readAt}`,
		`Staleness: ${ms.toFixed(3)} ms`,
		`Follower Reads: ${followers} of ${followers + leaseholders}`,
	];
}

export function innerStatement(
	state: SessionState,
	statement: Statement,
): Parameters<typeof bindAndPlan>[1] {
	if (isPlanned(statement)) return statement;
	const prepared = statement.kind === "execute" ? state.statements.get(statement.name) : undefined;
	if (prepared?.inner !== undefined && prepared.parameterTypes.length === 0) return prepared.inner;
	if (statement.kind === "execute" && prepared === undefined) throw noStatement(statement.name);
	throw new DatabaseError("0A000", "EXPLAIN of this statement is not supported", {
		hint: "Use EXPLAIN with SELECT, INSERT, UPDATE or DELETE.",
	});
}

function describe(
	node: PlanNode,
	depth: number,
	statistics: Statistics | undefined,
	lines: string[],
): void {
	const indent = depth === 0 ? "" : `${"  ".repeat(depth * 3 - 2)}->  `;
	const rest = "  ".repeat(depth * 3 + 1);
	let measured = "";
	if (statistics !== undefined) {
		const mine = statistics.get(node);
		measured =
			mine === undefined
				? " (never executed)"
				: ` (actual time=${mine.ms.toFixed(3)} rows=${mine.rows} loops=${mine.loops})`;
	}
	const rows = Math.max(1, Math.round(node.estimate));
	lines.push(`${indent}${node.label}  (rows=${rows})${measured}`);
	for (const detail of node.details) lines.push(`${rest}${detail}`);
	for (const child of node.children) describe(child, depth + 1, statistics, lines);
}
