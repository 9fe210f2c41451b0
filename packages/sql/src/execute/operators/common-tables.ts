/**
 * WITH: the frame in which common tables live, and what reads them. One of a query is computed when it is first read and kept;
 * one that writes is run exactly once, at the latest when the statement itself has ended. Where there are such, nothing is
 * written before everything has been read: all parts of the statement see what was there before it.
 */
import { assert } from "@quorate/keys/assert";
import type { CommonTableState } from "../../plan/logical.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import type { StatementPlan } from "../../plan/statement-plan.ts";
import { type Batch, type CommonTableRows, Env, type ExecRow } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { LaterWrites } from "../later-writes.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanNode } from "../plan-node.ts";
import { sortMemory } from "./sort.ts";

export interface CommonTablePlan {
	readonly base: PlanNode;
	/** One that writes. */
	readonly change?: StatementPlan;
	readonly recursive: { readonly plan: PlanNode; readonly distinct: boolean } | undefined;
}

/** The frame in which the common tables of one WITH live. */
export class WithFrame extends Operator {
	readonly label: string;
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #tables: readonly CommonTableState[];
	readonly #plans: readonly CommonTablePlan[];

	constructor(
		input: PlanNode,
		tables: readonly CommonTableState[],
		plans: readonly CommonTablePlan[],
	) {
		super();
		this.#input = input;
		this.#tables = tables;
		this.#plans = plans;
		this.label = `With ${tables.map((table) => table.name).join(", ")}`;
		this.children = [input, ...plans.flatMap(({ change }) => (change ? [change.root] : []))];
		this.layout = input.layout;
		this.estimate = input.estimate;
	}

	protected rows(env: Env): AsyncIterable<Batch> {
		return runInFrame(this.#input, this.#tables, this.#plans, env);
	}
}

/** Runs what the common tables are for, and those that write and were not read. */
export function runInFrame(
	root: PlanNode,
	tables: readonly CommonTableState[],
	plans: readonly CommonTablePlan[],
	env: Env,
): AsyncIterable<Batch> {
	const rows = new Map<CommonTableState, CommonTableRows>();
	for (const table of tables) rows.set(table, { rows: undefined, working: undefined });
	const frame = new Env(env.execution, env.args, [], env, rows);
	return plans.some(({ change }) => change !== undefined)
		? runWithChanges(root, plans, [...rows.values()], frame)
		: root.run(frame);
}

async function* runWithChanges(
	root: PlanNode,
	plans: readonly CommonTablePlan[],
	states: readonly CommonTableRows[],
	frame: Env,
): AsyncIterable<Batch> {
	const later = new LaterWrites();
	frame.execution.later = later;
	yield* root.run(frame);
	for (const [i, plan] of plans.entries()) {
		if (plan.change === undefined || states[i]!.rows !== undefined) continue;
		await materialize(plan, frame, states[i]!);
	}
	await later.apply();
	frame.execution.later = undefined;
	await frame.execution.store.flush();
}

/** A reference to a common table: computed at the first one, kept for the others. */
export class CommonTableScan extends Operator {
	readonly label: string;
	readonly details = [];
	readonly children: readonly PlanNode[] = [];
	readonly layout: Layout;
	readonly estimate = 200;
	readonly #table: CommonTableState;
	readonly #plan: () => CommonTablePlan;

	/** `plan` is asked for late: a recursive table's plan refers to itself. */
	constructor(relation: Relation, table: CommonTableState, plan: () => CommonTablePlan) {
		super();
		this.label = `CTE Scan on ${table.name}${relation.name === table.name ? "" : ` ${relation.name}`}`;
		this.layout = Layout.of(relation);
		this.#table = table;
		this.#plan = plan;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		let frame: Env | undefined = env;
		while (frame !== undefined && frame.commonTables?.has(this.#table) !== true)
			frame = frame.outer;
		assert(frame !== undefined, "a common table has a frame");
		const state = frame.commonTables!.get(this.#table)!;
		if (state.working === undefined) state.rows ??= materialize(this.#plan(), frame, state);
		const rows = state.working ?? (await state.rows!);
		for (let i = 0; i < rows.length; i += batchSize) yield rows.slice(i, i + batchSize);
	}
}

async function materialize(
	plan: CommonTablePlan,
	frame: Env,
	state: CommonTableRows,
): Promise<Batch> {
	const all: ExecRow[] = [];
	const { recursive } = plan;
	const slots = Array.from({ length: plan.base.layout.width }, (_, i) => i);
	const hash = rowHasher(
		slots.map(() => 25),
		slots,
	);
	const seen = recursive?.distinct === true ? new Set<unknown>() : undefined;
	const collect = async (node: Pick<PlanNode, "run">): Promise<ExecRow[]> => {
		const fresh: ExecRow[] = [];
		for await (const batch of node.run(frame)) {
			for (const row of batch) {
				if (seen !== undefined) {
					const key = hash(row);
					if (seen.has(key)) continue;
					seen.add(key);
				}
				frame.execution.memory.add(row, sortMemory);
				fresh.push(row);
			}
		}
		return fresh;
	};
	// Rows that the part writes are not those of the statement.
	const { affected } = frame.execution;
	let step = await collect(plan.change ?? plan.base);
	if (plan.change !== undefined) frame.execution.affected = affected;
	for (const row of step) all.push(row);
	while (recursive !== undefined && step.length > 0) {
		state.working = step;
		step = await collect(recursive.plan);
		state.working = undefined;
		for (const row of step) all.push(row);
		const pause = frame.execution.pause();
		if (pause !== undefined) await pause;
	}
	return all;
}
