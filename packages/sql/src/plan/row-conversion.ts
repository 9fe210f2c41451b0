/**
 * What becomes of a row while its table is being rewritten (S5): columns of another type, and columns that come. Whoever writes a row
 * meanwhile makes its new form, too, and the job does it for all others (`ddl/backfill.ts`), so:
 *
 * 1. A form depends on the row and on what stands in the descriptor, not on who makes it: expressions see the settings of the session that
 *    has asked for the change, its time, and no search path. What asks for more of a session (`isAnywhere`) is not done by a job.
 * 2. A value that is drawn (random(), nextval) is drawn once as long as the row is there: an update keeps it, and the job leaves rows
 *    alone that have a new form (`execute/shadow-writer.ts`).
 * 3. A row whose new form cannot be, or is not as the table wants it, cannot be written: the statement fails that writes it, or the job.
 */
import {
	type ColumnDescriptor,
	columnByAttnum,
	liveColumns,
	type RewriteChange,
	type RewriteSettings,
	rewritten,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { Env, type ExecRow, Execution } from "../execute/env.ts";
import type { RowConversion } from "../execute/shadow-writer.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { TableWriter } from "../execute/table-writer.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { isEnum, isMadeArray, isRow, namedOid } from "../types/made-oids.ts";
import type { FunctionContext } from "../types/registry.ts";
import { bindExpression } from "./bind-expression.ts";
import {
	bindCheck,
	bindDefault,
	compileChecks,
	compileGenerated,
	storedExpression,
	tableRelation,
} from "./bind-table.ts";
import { Binder } from "./binder.ts";
import { type Bound, someNode } from "./bound.ts";
import { coerce } from "./coerce.ts";
import { type Compiled, compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { isImmutable, isName } from "./immutable.ts";
import { Layout, type Relation } from "./relation.ts";
import { Scope } from "./scope.ts";

/** Where others than a session answer what needs the catalog. */
export type ConversionCalls = Pick<FunctionContext, "catalogCall" | "sequenceCall" | "rowFields">;

interface MadeValue {
	readonly slot: number;
	/** Over a row as it was. */
	readonly value: Compiled;
	/** An update of the row leaves it as it is. */
	readonly isKept: boolean;
}

/** The context of expressions: nothing is there but what a form may depend on. */
function surroundings(
	settings: RewriteSettings,
	base: FunctionContext,
	calls: ConversionCalls,
): FunctionContext {
	const { transactionStart, statementStart, ...texts } = settings;
	const context = {
		...texts,
		transactionStart: BigInt(transactionStart),
		statementStart: BigInt(statementStart),
		searchPath: [],
		clockNow: () => base.clockNow(),
		random: () => base.random(),
		seedRandom: (seed: number) => base.seedRandom(seed),
		randomBytes: (count: number) => base.randomBytes(count),
		catalogCall: (name: string, args: readonly Datum[]) => calls.catalogCall(name, args),
		rowFields: (oid: number) => calls.rowFields(oid),
		// For the table, not for whoever writes it: neither its rights nor its lastval.
		sequenceCall: (_name: string, args: readonly Datum[]) => calls.sequenceCall("draw", args),
	};
	return context as unknown as FunctionContext;
}

export class PlannedConversion implements RowConversion {
	readonly #width: number;
	readonly #settings: RewriteSettings;
	readonly #values: readonly MadeValue[];
	/** Of the table as it will be: fills in generated columns, and looks at what the change has touched. */
	readonly #validator: TableWriter;
	readonly #envs = new WeakMap<Execution, Env>();

	constructor(
		width: number,
		settings: RewriteSettings,
		values: readonly MadeValue[],
		validator: TableWriter,
	) {
		this.#width = width;
		this.#settings = settings;
		this.#values = values;
		this.#validator = validator;
	}

	/** `env`: not that of a session, which answers by itself. */
	answerWith(env: Env, calls: ConversionCalls): void {
		const { runtime, cancel, context: base } = env.execution;
		const context = surroundings(this.#settings, base, calls);
		// Expressions of one row ask for no data.
		const parts = { runtime, cancel, context } as ConstructorParameters<typeof Execution>[0];
		this.#envs.set(env.execution, new Env(new Execution(parts), []));
	}

	async convert(row: ExecRow, before: ExecRow | undefined, env: Env): Promise<Datum[]> {
		if (!this.#envs.has(env.execution)) this.answerWith(env, env.context);
		const own = this.#envs.get(env.execution)!;
		const form: Datum[] = row.slice(0, this.#width);
		for (const { slot, value, isKept } of this.#values) {
			form[slot] = isKept && before !== undefined ? before[slot]! : await value.evaluate(row, own);
		}
		const waiting = this.#validator.validate(form, own);
		if (waiting !== undefined) await waiting;
		return form;
	}
}

/** Undefined: rows stay as they are. `calls`: where it is no session's context that the binder has. */
export function rowConversion(
	binder: Binder,
	table: TableDescriptor,
	parent: CompileScope,
	calls: ConversionCalls = binder.environment.context,
): PlannedConversion | undefined {
	const change = table.rewrite?.change;
	const after = rewritten(table);
	if (change === undefined || after === undefined) return undefined;
	const { environment } = binder;
	const { settings } = change;
	const own = new Binder(
		{
			...environment,
			searchPath: [],
			context: surroundings(settings, environment.context, calls),
		},
		[],
		[],
	);
	const columns = liveColumns(after);
	const slotOf = (attnum: number): number => columns.findIndex((one) => one.attnum === attnum);
	const altered = change.altered.map(({ attnum, text }): MadeValue => {
		const bound = bindAltered(own, table, columnByAttnum(after, attnum), text);
		const value = compile(bound.value, parent.inner(Layout.of(bound.relation)));
		return { slot: slotOf(attnum), value, isKept: false };
	});
	const added = change.added.map((attnum): MadeValue => {
		const column = columnByAttnum(after, attnum);
		if (column.generatedText !== undefined) {
			return { slot: slotOf(attnum), value: nothing, isKept: false };
		}
		const value = compile(bindDefault(own, column), parent.inner());
		return { slot: slotOf(attnum), value, isKept: true };
	});
	const validator = validatorOf(own, after, change, parent);
	const width = liveColumns(table).length;
	return new PlannedConversion(width, settings, [...altered, ...added], validator);
}

/** Those of generated columns are made when all others are there. */
const nothing: Compiled = { async: false, evaluate: () => null };

/** What an altered column gets of a row as it was. Throws what does not go with the type. */
function bindAltered(
	binder: Binder,
	table: TableDescriptor,
	{ name, type }: Pick<ColumnDescriptor, "name" | "type">,
	text: string,
): { readonly relation: Relation; readonly value: Bound } {
	const relation = tableRelation(table, undefined);
	const scope = new Scope(undefined);
	scope.add(relation);
	const place = { binder, scope, clause: "transform expressions", aggregates: false, sets: false };
	const bound = bindExpression(place, storedExpression(text));
	return { relation, value: coerce(binder, bound, type, "assignment", name) };
}

/** Without checks that are not valid, and those that nothing has happened to. */
function validatorOf(
	binder: Binder,
	after: TableDescriptor,
	{ added, altered }: RewriteChange,
	parent: CompileScope,
): TableWriter {
	const touched = new Set([...added, ...altered.map(({ attnum }) => attnum)]);
	const columns = liveColumns(after);
	const checks = after.checks.filter(
		(check) =>
			check.notValid === undefined &&
			someNode(
				bindCheck(binder, after, storedExpression(check.text)).bound,
				(node) => node.kind === "column" && touched.has(columns[node.column]!.attnum),
			),
	);
	const table = { ...after, checks };
	return new TableWriter(
		tableCodec(table),
		compileChecks(binder, table, parent),
		compileGenerated(binder, table, parent),
	);
}

/** Functions beside immutable ones whose result follows from what `surroundings` have, or that are drawn. */
const known: ReadonlySet<string> = new Set(
	[
		"now transaction_timestamp statement_timestamp clock_timestamp current_date",
		"age date_part date_trunc extract timezone to_char to_date to_timestamp",
		"random gen_random_uuid gen_random_bytes uuid_generate_v1 uuid_generate_v4",
		"nextval array_to_string concat concat_ws format to_json to_jsonb",
	].flatMap((names) => names.split(" ")),
);

/** Of a type that only the catalog knows, enums apart: what it is may change meanwhile. */
export const mayChange = ({ oid, domain }: SqlType): boolean =>
	domain !== undefined || isRow(oid) || (isMadeArray(oid) && !isEnum(namedOid(oid)));

/** Whether every session and every node can make the value, given the settings of one. */
export const isAnywhere = (bound: Bound): boolean =>
	!someNode(bound, (node) => {
		if (node.kind === "subquery" || node.kind === "domain" || node.kind === "argument") return true;
		if (mayChange({ oid: node.type.oid, modifier: -1 })) return true;
		if (node.kind === "call") {
			return !isImmutable(node) && !node.operator && !known.has(node.name);
		}
		if (node.kind !== "cast") return false;
		const [operand] = node.args;
		// A sequence is named with its schema.
		if (node.type.oid === regclass && operand!.kind === "constant") return false;
		return [operand!.type.oid, node.type.oid].some(isName);
	});

const regclass = 2205;
