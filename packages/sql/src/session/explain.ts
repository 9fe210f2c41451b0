/** EXPLAIN [ANALYZE]: the operators of a plan, and what they did. */

import { DatabaseError } from "@quorate/keys/database-error";
import { ticksPerMs } from "@quorate/keys/timestamp";
import { withLabels } from "../catalog/enum-labels.ts";
import { Env } from "../execute/env.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import type { Option, Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { plainType } from "../plan/bound.ts";
import { isPlanned } from "../plan/plan-statement.ts";
import type { Datum } from "../types/datum.ts";
import { OID } from "../types/oids.ts";
import { asOfClause, enterPast } from "./as-of.ts";
import { binderFor, executionFor } from "./evaluate.ts";
import { executedOf, noStatement } from "./executed.ts";
import { type ExplainedPlan, explainedJson, type PlanStatistics } from "./explain-json.ts";
import type { Output } from "./output.ts";
import { bindAndPlan } from "./prepared.ts";
import { textColumn } from "./result-columns.ts";
import { authorizeRun } from "./run-planned.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import type { ResultColumn } from "./types.ts";

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

const isOn = (option: Option | undefined): boolean =>
	option !== undefined &&
	(option.value === undefined ||
		option.value === true ||
		option.value === "on" ||
		option.value === 1);

const isOff = (option: Option | undefined): boolean =>
	option !== undefined && option.value !== undefined && !isOn(option);

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
	const format = formatOf(statement);
	const analyze = isOn(statement.options.find((option) => option.name === "analyze"));
	const verbose = isOn(statement.options.find((option) => option.name === "verbose"));
	const explained = statement.statement;
	const inner = innerStatement(state, explained);
	const costs = !isOff(statement.options.find((option) => option.name === "costs"));
	const asOf = asOfClause(inner);
	if (asOf !== undefined) await enterPast(state, block, asOf, lexed);
	const binder = await binderFor(state, block, lexed, []);
	const { clock } = state.services.runtime;
	const plannedSince = clock.monotonicMs();
	const executed =
		explained.kind === "execute" ? await executedOf(state, block, explained, lexed) : undefined;
	const given = executed?.prepared.parameterTypes ?? types;
	const bound = bindAndPlan(state, inner, lexed, given, binder.environment.catalog);
	const planningMs = clock.monotonicMs() - plannedSince;
	await authorizeRun(state, block, bound);
	const { plan } = bound;
	let run: ExplainedPlan["run"];
	if (analyze) {
		state.readClosed(block, plan);
		const execution = await executionFor(state, block);
		const statistics: NonNullable<typeof execution.statistics> = new Map();
		execution.statistics = statistics;
		const args = plan.readArguments(
			lexed.literals,
			executed?.parameters ?? parameters,
			state.context,
		);
		const since = clock.monotonicMs();
		// The whole plan runs, without the short way for single rows.
		for await (const _batch of plan.run(new Env(execution, args))) {
			const pause = execution.pause();
			if (pause !== undefined) await pause;
		}
		await execution.finish();
		run = { statistics, ms: clock.monotonicMs() - since };
	}
	output.columns(explainColumns(statement));
	const { catalog, searchPath } = binder.environment;
	const shown = (text: string): string => withLabels(catalog, searchPath, text);
	if (format === "json") {
		const whole = { root: plan.root, verbose, costs, planningMs, shown, run };
		await output.rows([[explainedJson(whole)]]);
		return "EXPLAIN";
	}
	const lines = describe(plan.root, 0, costs, run?.statistics).map(shown);
	if (run !== undefined) {
		lines.push(...(await describePast(state, block)));
		lines.push(`Execution Time: ${run.ms.toFixed(3)} ms`);
	}
	await output.rows(lines.map((line) => [line]));
	return "EXPLAIN";
}

type Format = "text" | "json";

/** Throws 22023, 0A000. */
function formatOf({ options }: Explain): Format {
	const option = options.find(({ name }) => name === "format");
	const value = String(option?.value ?? "text").toLowerCase();
	if (value === "text" || value === "json") return value;
	if (value !== "xml" && value !== "yaml") {
		throw new DatabaseError(
			"22023",
			`unrecognized value for EXPLAIN option "format": "${option?.value}"`,
			{ position: option!.at + 1 },
		);
	}
	throw new DatabaseError("0A000", `EXPLAIN (FORMAT ${value.toUpperCase()}) is not supported`, {
		hint: "Use FORMAT TEXT or FORMAT JSON.",
	});
}

/** Throws 22023, 0A000. */
export const explainColumns = (statement: Explain): readonly ResultColumn[] =>
	formatOf(statement) === "json"
		? [{ ...textColumn("QUERY PLAN"), type: plainType(OID.json) }]
		: [textColumn("QUERY PLAN")];

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
	if (prepared?.inner !== undefined) return prepared.inner;
	if (statement.kind === "execute" && prepared === undefined) throw noStatement(statement.name);
	throw new DatabaseError("0A000", "EXPLAIN of this statement is not supported", {
		hint: "Use EXPLAIN with SELECT, INSERT, UPDATE or DELETE.",
	});
}

function describe(
	node: PlanNode,
	depth: number,
	costs: boolean,
	statistics: PlanStatistics | undefined,
): string[] {
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
	const rows = costs ? `  (rows=${Math.max(1, Math.round(node.estimate))})` : "";
	return [
		`${indent}${node.label}${rows}${measured}`,
		...node.details.map((detail) => `${rest}${detail}`),
		...node.children.flatMap((child) => describe(child, depth + 1, costs, statistics)),
	];
}
