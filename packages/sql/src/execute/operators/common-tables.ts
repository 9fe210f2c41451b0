/**
 * WITH: the frame in which common tables live, and what reads them. The rows of a query are computed as far as they are read, and
 * kept: a recursive one without an end may well be read up to a LIMIT. One that writes is run exactly once, at the latest when the statement itself has ended. Where there are such, nothing is
 * written before everything has been read: all parts of the statement see what was there before it.
 */
import { assert } from "@quorate/keys/assert";
import type { CommonTableState } from "../../plan/logical.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { rowsFacts } from "../../plan/show.ts";
import type { StatementPlan } from "../../plan/statement-plan.ts";
import { type Batch, CommonTableRows, Env, type ExecRow } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { readFirst } from "../later-writes.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanFacts, type PlanNode } from "../plan-node.ts";
import { sortMemory } from "./sort.ts";

export interface CommonTablePlan {
	readonly base: PlanNode;
	/** One that writes. */
	readonly change?: StatementPlan;
	/** `oids`: of the columns. */
	readonly recursive:
		| { readonly plan: PlanNode; readonly distinct: boolean; readonly oids: readonly number[] }
		| undefined;
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
	const rows = new Map(tables.map((table) => [table, new CommonTableRows()]));
	const frame = new Env(env.execution, env.args, [], env, rows);
	const states = [...rows.values()];
	return plans.some(({ change }) => change !== undefined)
		? readFirst(env.execution, runWithChanges(root, plans, states, frame))
		: runAndClose(root, states, frame);
}

async function* runAndClose(
	root: PlanNode,
	states: readonly CommonTableRows[],
	frame: Env,
): AsyncIterable<Batch> {
	try {
		yield* root.run(frame);
	} finally {
		for (const state of states) await state.close();
	}
}

async function* runWithChanges(
	root: PlanNode,
	plans: readonly CommonTablePlan[],
	states: readonly CommonTableRows[],
	frame: Env,
): AsyncIterable<Batch> {
	yield* runAndClose(root, states, frame);
	for (const [i, plan] of plans.entries()) {
		const state = states[i]!;
		if (plan.change === undefined || state.isBegun) continue;
		while (await state.more(() => commonRows(plan, frame, state)));
	}
}

/** A reference to a common table, or of a recursive one to itself: to the rows of the step before. */
export class CommonTableScan extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details = [];
	readonly children: readonly PlanNode[] = [];
	readonly layout: Layout;
	readonly estimate = 200;
	readonly #table: CommonTableState;
	readonly #isOwn: boolean;
	readonly #plan: () => CommonTablePlan;

	/** `plan` is asked for late: a recursive table's plan refers to itself. */
	constructor(
		relation: Relation,
		table: CommonTableState,
		isOwn: boolean,
		plan: () => CommonTablePlan,
	) {
		super();
		const name = `${table.name}${relation.name === table.name ? "" : ` ${relation.name}`}`;
		const type = `${isOwn ? "WorkTable" : "CTE"} Scan`;
		this.label = `${type} on ${name}`;
		this.facts = { ...rowsFacts(type, relation.name), "CTE Name": table.name };
		this.layout = Layout.of(relation);
		this.#table = table;
		this.#isOwn = isOwn;
		this.#plan = plan;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		let frame: Env | undefined = env;
		while (frame !== undefined && frame.commonTables?.has(this.#table) !== true)
			frame = frame.outer;
		assert(frame !== undefined, "a common table has a frame");
		const state = frame.commonTables!.get(this.#table)!;
		const rows = this.#isOwn ? state.working : state.rows;
		const around = frame;
		const open = () => commonRows(this.#plan(), around, state);
		for (let next = 0; ; ) {
			for (; next < rows.length; next += batchSize) yield rows.slice(next, next + batchSize);
			next = Math.min(next, rows.length);
			if (this.#isOwn || !(await state.more(open))) return;
		}
	}
}

/** Rows of a common table as they come. They are kept, and so they are metered. */
async function* commonRows(
	plan: CommonTablePlan,
	frame: Env,
	state: CommonTableRows,
): AsyncIterable<Batch> {
	if (plan.change !== undefined) {
		yield* changedRows(plan.change, frame);
		return;
	}
	const { recursive } = plan;
	const fresh = freshRows(recursive?.distinct === true ? recursive.oids : undefined, frame);
	let step: ExecRow[] = [];
	for await (const batch of plan.base.run(frame)) {
		const rows = fresh(batch);
		if (rows.length > 0) yield rows;
		if (recursive !== undefined) step.push(...rows);
	}
	while (recursive !== undefined && step.length > 0) {
		state.working = step;
		step = [];
		for await (const batch of recursive.plan.run(frame)) {
			const rows = fresh(batch);
			if (rows.length > 0) yield rows;
			step.push(...rows);
		}
		const pause = frame.execution.pause();
		if (pause !== undefined) await pause;
	}
}

/** All at once, whoever reads how many of them: rows that the part writes are not those of the statement. */
async function* changedRows(change: StatementPlan, frame: Env): AsyncIterable<Batch> {
	const { affected } = frame.execution;
	const batches: Batch[] = [];
	for await (const batch of change.run(frame)) {
		for (const row of batch) frame.execution.memory.add(row, sortMemory);
		batches.push(batch);
	}
	frame.execution.affected = affected;
	yield* batches;
}

/** Passes rows on that are kept; `oids`: without those that there were. */
function freshRows(oids: readonly number[] | undefined, frame: Env): (batch: Batch) => Batch {
	const { memory } = frame.execution;
	const seen = new Set<unknown>();
	const hash =
		oids &&
		rowHasher(
			oids,
			oids.map((_, i) => i),
		);
	return (batch) => {
		const rows: ExecRow[] = [];
		for (const row of batch) {
			if (hash !== undefined) {
				const key = hash(row);
				if (seen.has(key)) continue;
				seen.add(key);
			}
			memory.add(row, sortMemory);
			rows.push(row);
		}
		return rows;
	};
}
