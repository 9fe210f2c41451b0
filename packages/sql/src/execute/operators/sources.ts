/** Rows that do not come from tables: functions in FROM, system catalogs, set-returning projections. */
import { mayUseSequence } from "../../auth/privileges.ts";
import type { SequenceDescriptor } from "../../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../../catalog/snapshot.ts";
import { sequencesOf } from "../../catalog/system-relations.ts";
import type { VirtualTable } from "../../catalog/virtual-table.ts";
import { type Compiled, evaluateAll } from "../../plan/compile.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { rowsFacts, scanFacts } from "../../plan/show.ts";
import { markOf } from "../../plan/table-oid.ts";
import type { ClusterActivity } from "../../types/cluster-access.ts";
import type { Datum, RowValue, SqlType } from "../../types/datum.ts";
import type { FunctionContext, SetFunction } from "../../types/registry.ts";
import { rowOf } from "../../types/row-types.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanFacts, type PlanNode } from "../plan-node.ts";

export interface CompiledSource {
	readonly name: string;
	/** Undefined: a scalar function, whose value is one row. */
	readonly fn: SetFunction | undefined;
	readonly args: readonly Compiled[];
	readonly argTypes: readonly SqlType[];
	readonly width: number;
	/** Its values are rows, and their fields the columns. */
	readonly row?: SqlType;
}

/** Functions in FROM, in lockstep where there are several: those that have ended give NULLs. */
export class FunctionScan extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details = [];
	readonly children = [];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #sources: readonly CompiledSource[];
	readonly #ordinality: boolean;

	constructor(relation: Relation, sources: readonly CompiledSource[], ordinality: boolean) {
		super();
		const names = sources.map(({ name }) => name).join(", ");
		this.label = `Function Scan on ${names} ${relation.name}`;
		this.facts = { ...rowsFacts("Function Scan", relation.name), "Function Name": names };
		this.layout = Layout.of(relation);
		this.estimate = sources.some(({ fn }) => fn !== undefined) ? 100 : 1;
		this.#sources = sources;
		this.#ordinality = ordinality;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		let ordinal = 0n;
		const numbered = (row: ExecRow): ExecRow => (this.#ordinality ? [...row, ++ordinal] : row);
		let batch: ExecRow[] = [];
		for (const row of lockstep(await this.#open(env), this.#sources)) {
			batch.push(numbered(row));
			if (batch.length < batchSize) continue;
			yield batch;
			batch = [];
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
		if (batch.length > 0) yield batch;
	}

	/** Arguments see the left siblings, which are around this row. */
	async #open(env: Env): Promise<Iterable<readonly Datum[]>[]> {
		const rows: Iterable<readonly Datum[]>[] = [];
		for (const { fn, args, argTypes, row, width } of this.#sources) {
			const values = await evaluateAll(args, [], env);
			const isSkipped = values.includes(null) && fn?.nullable !== true;
			const found =
				fn === undefined ? [values] : isSkipped ? [] : fn.call(values, env.context, argTypes);
			rows.push(row === undefined ? found : fieldsIn(found, width));
		}
		return rows;
	}
}

/** NULL is a row of NULLs. */
function* fieldsIn(rows: Iterable<readonly Datum[]>, width: number): Iterable<readonly Datum[]> {
	for (const [value] of rows) {
		yield (value as RowValue | null)?.fields ?? new Array<Datum>(width).fill(null);
	}
}

function* lockstep(
	rows: readonly Iterable<readonly Datum[]>[],
	sources: readonly CompiledSource[],
): Iterable<ExecRow> {
	const [only] = rows;
	if (rows.length === 1) {
		yield* only!;
		return;
	}
	const iterators = rows.map((one) => one[Symbol.iterator]());
	for (;;) {
		const steps = iterators.map((iterator) => iterator.next());
		if (steps.every((step) => step.done === true)) return;
		yield steps.flatMap((step, i) =>
			step.done === true ? new Array<Datum>(sources[i]!.width).fill(null) : step.value,
		);
	}
}

export class VirtualScan extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details = [];
	readonly children = [];
	readonly layout: Layout;
	readonly estimate = 300;
	readonly #table: VirtualTable;
	readonly #catalog: CatalogSnapshot;
	readonly #used: readonly boolean[];
	readonly #isMarked: boolean;

	constructor(relation: Relation, table: VirtualTable, catalog: CatalogSnapshot) {
		super();
		this.label = `Seq Scan on ${table.name} ${relation.name}`;
		this.facts = scanFacts("Seq Scan", table, relation.name);
		const mark = markOf(relation);
		this.#used = relation.used;
		this.#isMarked = relation.used[mark] === true;
		this.layout = Layout.of(relation, this.#isMarked ? mark + 1 : mark);
		this.#table = table;
		this.#catalog = catalog;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const { context } = env;
		const activity = await activityFor(this.#table, this.#catalog, context);
		const rows = [...this.#table.rows(this.#catalog, context, activity, this.#used)];
		for (let i = 0; i < rows.length; i += batchSize) {
			const batch = rows.slice(i, i + batchSize);
			yield this.#isMarked ? batch.map((row) => [...row, true]) : batch;
		}
	}
}

/** What a table of the whole cluster is made of. */
async function activityFor(
	{ isClusterWide, isOverview, isOfStatements, isOfSequences, name }: VirtualTable,
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Promise<ClusterActivity | undefined> {
	if (isOverview) {
		return context.clusterOverview();
	}
	if (isOfStatements) {
		return context.clusterStatements();
	}
	if (isOfSequences) {
		return { nodes: [], silent: [], sequences: await lastValues(catalog, context) };
	}
	return isClusterWide ? context.clusterActivity(name === "pg_locks") : undefined;
}

/** Of the sequences that the role may ask, some at a time. */
async function lastValues(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Promise<ReadonlyMap<number, bigint>> {
	const values = new Map<number, bigint>();
	const asked = sequencesOf(catalog).filter((sequence) =>
		mayUseSequence(catalog, context.currentRole, sequence, ["SELECT", "USAGE"]),
	);
	for (let i = 0; i < asked.length; i += 32) {
		const ask = async ({ oid }: SequenceDescriptor): Promise<void> => {
			const { last, called } = await context.sequenceState(oid);
			if (called) values.set(oid, last);
		};
		await Promise.all(asked.slice(i, i + 32).map(ask));
	}
	return values;
}

/** A row of a function as one value. */
function singleValue({ fields }: SqlType): (row: readonly Datum[]) => Datum {
	return fields === undefined ? ([value]) => value! : (values) => rowOf(fields, values);
}

/** Calls of a select list that return sets, in lockstep: the shorter ones give NULL. */
export class ProjectSet extends Operator {
	readonly label = "ProjectSet";
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #calls: readonly {
		readonly fn: SetFunction;
		readonly args: readonly Compiled[];
		readonly argTypes: readonly SqlType[];
		readonly type: SqlType;
	}[];

	constructor(
		input: PlanNode,
		relation: Relation,
		calls: readonly {
			readonly fn: SetFunction;
			readonly args: readonly Compiled[];
			readonly argTypes: readonly SqlType[];
			readonly type: SqlType;
		}[],
	) {
		super();
		this.#input = input;
		this.#calls = calls;
		this.children = [input];
		this.layout = input.layout.join(Layout.of(relation));
		this.estimate = input.estimate * 10;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const values = this.#calls.map(({ type }) => singleValue(type));
		for await (const batch of this.#input.run(env)) {
			let out: ExecRow[] = [];
			for (const row of batch) {
				const iterators = await this.#open(row, env);
				for (;;) {
					const steps = iterators.map((iterator) => iterator.next());
					if (steps.every((step) => step.done === true)) break;
					out.push([
						...row,
						...steps.map((step, i): Datum => (step.done ? null : values[i]!(step.value))),
					]);
					if (out.length < batchSize) continue;
					yield out;
					out = [];
					const pause = env.execution.pause();
					if (pause !== undefined) await pause;
				}
			}
			if (out.length > 0) yield out;
		}
	}

	async #open(row: ExecRow, env: Env): Promise<Iterator<readonly Datum[]>[]> {
		const iterators: Iterator<readonly Datum[]>[] = [];
		for (const { fn, args, argTypes } of this.#calls) {
			const values = await evaluateAll(args, row, env);
			const isSkipped = values.includes(null) && fn.nullable !== true;
			const rows = isSkipped ? [] : fn.call(values, env.context, argTypes);
			iterators.push(rows[Symbol.iterator]());
		}
		return iterators;
	}
}
