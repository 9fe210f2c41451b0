/** A statement that was lexed and, where no plan is cached for its shape, parsed. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { Statement } from "../parser/ast.ts";
import { type LexedStatement, parse } from "../parser/parse.ts";
import { Binder } from "../plan/binder.ts";
import { CatalogUse } from "../plan/catalog-use.ts";
import { isPlanned, type PlannedStatement, planStatement } from "../plan/plan-statement.ts";
import type { CachedPlan } from "./plan-cache.ts";
import type { SessionState } from "./session-state.ts";
import type { PreparedStatement, ResultColumn } from "./types.ts";

export interface Prepared extends PreparedStatement {
	/** Undefined: an empty query string. */
	readonly lexed: LexedStatement | undefined;
	/** As the client gave them; 0 where it left them open. */
	readonly askedTypes: readonly number[];
	/** What is not planned. */
	readonly utility: Statement | undefined;
	/** Of SQL's PREPARE: the statement itself, since the text is PREPARE's. */
	readonly inner: PlannedStatement | undefined;
	/** DECLARE's query. */
	readonly isForCursor?: true;
	/** When, microseconds since 2000-01-01 UTC, and whether by PREPARE. */
	readonly since?: bigint;
	readonly fromSql?: true;
	/** For the first plan: spares parsing it again. */
	readonly parsed?: PlannedStatement;
	/** The plan used last. */
	plan: CachedPlan | undefined;
}

/** Error positions are relative to the whole query string. */
export function placed(error: unknown, offset: number): unknown {
	if (!(error instanceof DatabaseError) || offset === 0) return error;
	const { position } = error.fields;
	if (position === undefined) return error;
	return new DatabaseError(error.code, error.message, {
		...error.fields,
		position: position + offset,
	});
}

export async function parseStatement(
	state: SessionState,
	lexed: LexedStatement,
): Promise<Statement> {
	const { runtime, utilities } = state.services;
	const known = utilities.find(lexed);
	if (known !== undefined) return known;
	const statement = await parse(lexed, () => runtime.scheduler.yield());
	if (!isPlanned(statement)) utilities.add(lexed, statement);
	return statement;
}

/** A plan for the catalog as it is now, from the cache or made. Throws what binding throws. */
export function planFor(
	state: SessionState,
	prepared: Prepared,
	snapshot: CatalogSnapshot,
	isShared: boolean,
): CachedPlan | Promise<CachedPlan> {
	const { plans } = state;
	const lexed = prepared.lexed!;
	const types = prepared.parameterTypes;
	if (prepared.inner !== undefined) {
		return bindAndPlan(state, prepared.inner, lexed, types, snapshot, prepared.isForCursor);
	}
	if (isShared) {
		const known = plans.find(lexed, types, snapshot.version, state.context.searchPath);
		if (known !== undefined) return known;
	}
	return makePlan(state, lexed, prepared.parsed, types, snapshot, isShared);
}

async function makePlan(
	state: SessionState,
	lexed: LexedStatement,
	parsed: PlannedStatement | undefined,
	types: readonly number[],
	snapshot: CatalogSnapshot,
	isShared: boolean,
): Promise<CachedPlan> {
	const statement = parsed ?? (await parseStatement(state, lexed));
	if (!isPlanned(statement)) throw new DatabaseError("XX000", "this statement has no plan");
	const made = bindAndPlan(state, statement, lexed, types, snapshot);
	if (isShared) state.plans.add(lexed, made);
	return made;
}

export function bindAndPlan(
	state: SessionState,
	statement: PlannedStatement,
	lexed: LexedStatement,
	types: readonly number[],
	snapshot: CatalogSnapshot,
	isForCursor = false,
): CachedPlan {
	const use = new CatalogUse();
	const binder = new Binder(
		{
			catalog: snapshot,
			virtualTable: state.services.virtualTable,
			searchPath: state.context.searchPath,
			use,
			context: state.context,
		},
		types,
		lexed.literals,
	);
	binder.isForCursor = isForCursor;
	const plan = state.noting(use, () => planStatement(binder, statement));
	const open = binder.parameterTypes.indexOf(0);
	if (open >= 0) {
		throw new DatabaseError("42P18", `could not determine data type of parameter $${open + 1}`);
	}
	return {
		plan,
		access: binder.access.collected(),
		allowed: new Set(),
		askedTypes: types,
		parameterTypes: binder.parameterTypes,
		schemaVersion: snapshot.version,
		temporary: state.temporary.generation,
		searchPath: state.context.searchPath,
		use,
		choices: binder.choices,
		pinned: [...binder.pinned].map((index) => ({ index, text: lexed.literals[index]!.text })),
	};
}

/** A syntax tree and a plan are some ten times as large as their text. */
export const statementBytes = (text: string): number => 1_000 + 10 * text.length;

export const emptyPrepared: Prepared = {
	lexed: undefined,
	askedTypes: [],
	utility: undefined,
	inner: undefined,
	plan: undefined,
	parameterTypes: [],
	columns: undefined,
	empty: true,
};

export function preparedOf(
	lexed: LexedStatement,
	askedTypes: readonly number[],
	utility: Statement | undefined,
	plan: CachedPlan | undefined,
	columns: readonly ResultColumn[] | undefined,
): Prepared {
	return {
		lexed,
		askedTypes,
		utility,
		inner: undefined,
		plan,
		parameterTypes: plan?.parameterTypes ?? askedTypes,
		columns,
		empty: false,
	};
}
