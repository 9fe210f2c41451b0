/**
 * AS OF SYSTEM TIME: whole statements and transactions that read the past.
 *
 * What stands behind it is a constant expression: a moment (timestamp, or text of one), an interval that is counted back from now,
 * or a raw timestamp of the oracle, exactly as quorate_read_timestamp() and quorate_commit_timestamp() give it. "Now" is a fresh
 * timestamp of the oracle, and so is the bound above which nothing is read: no clock of this node takes part. The statement is
 * planned with the catalog as of then (S2).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	epochMs,
	type Timestamp,
	ticksPerMs,
	timestamp,
	timestampMax,
} from "@quorate/keys/timestamp";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import { Env, Execution } from "../execute/env.ts";
import { StatementStore } from "../execute/statement-store.ts";
import type { Expression, Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { argumentReader } from "../plan/arguments.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import { Binder } from "../plan/binder.ts";
import { type Bound, plainType, unknownOid } from "../plan/bound.ts";
import { coerce } from "../plan/coerce.ts";
import { compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { Scope } from "../plan/scope.ts";
import type { Datum, Interval } from "../types/datum.ts";
import { parseInterval } from "../types/interval-text.ts";
import { intervalSpan } from "../types/interval-values.ts";
import {
	compareNumeric,
	type Numeric,
	numericFromBigint,
	numericToBigint,
} from "../types/numeric.ts";
import { OID } from "../types/oids.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

const clause = "AS OF SYSTEM TIME";

/** Microseconds from 1970 to 2000, where SQL's timestamps begin. */
const postgresEpochMicros = 946_684_800_000_000n;

/** The clause of a statement that is a query as a whole. */
export function asOfClause(statement: Statement): Expression | undefined {
	return statement.kind === "query" && statement.body.kind === "select"
		? statement.body.asOf
		: undefined;
}

/** The transaction of `block` reads the past from now on. Throws 25001 where it has begun, or the statement is only a part of it. */
export async function enterPast(
	state: SessionState,
	block: TransactionBlock,
	expression: Expression,
	lexed: LexedStatement | undefined,
): Promise<void> {
	const asOf = await pastTimestamp(state, expression, lexed);
	if (block.asOf?.timestamp === asOf.timestamp) return;
	if (block.explicit || block.asOf !== undefined || block.transaction !== undefined) {
		throw new DatabaseError("25001", `${clause} of a statement must be that of its transaction`, {
			hint: `Use BEGIN ${clause}, or run the statement by itself.`,
		});
	}
	setPast(block, asOf);
}

/** BEGIN and SET TRANSACTION. */
export async function beginPast(
	state: SessionState,
	block: TransactionBlock,
	expression: Expression,
): Promise<void> {
	if (block.transaction !== undefined || block.hasQueried) {
		throw new DatabaseError("25001", `${clause} must be set before any query`);
	}
	setPast(block, await pastTimestamp(state, expression, undefined));
}

export function setPast(block: TransactionBlock, asOf: IssuedTimestamp): void {
	block.asOf = asOf;
	block.characteristics.readOnly = true;
}

/** Statements of one implicit transaction: what reads the past does not take others there. */
export function refusePast(block: TransactionBlock): void {
	if (block.asOf === undefined || block.explicit) return;
	throw new DatabaseError(
		"25001",
		`a statement ${clause} must be the only one of its transaction`,
		{
			hint: `Use BEGIN ${clause}.`,
		},
	);
}

/** Throws 22023 for what is no moment of the past, 72000 where the schema of then is not known any more. */
export async function pastTimestamp(
	state: SessionState,
	expression: Expression,
	lexed: LexedStatement | undefined,
): Promise<IssuedTimestamp> {
	const { at, now } = await namedTimestamp(state, expression, lexed);
	if (at > now) {
		throw new DatabaseError("22023", `${clause}: cannot read the future`, {
			detail: `The newest timestamp is ${now}.`,
		});
	}
	return withSchema(state, at);
}

/** Throws 72000 where the schema of then is not known any more. */
export async function withSchema(state: SessionState, at: Timestamp): Promise<IssuedTimestamp> {
	const schemaVersion = await state.services.placement.schemaVersionAt(at);
	if (schemaVersion === undefined) {
		throw new DatabaseError("72000", "snapshot too old", {
			detail: "The schema has changed too often since then.",
		});
	}
	return { timestamp: at, schemaVersion };
}

/** Which one is named, counted from a fresh one. It may be of another cluster: nothing is known of it. Throws 22023. */
export async function namedTimestamp(
	state: SessionState,
	expression: Expression,
	lexed: LexedStatement | undefined,
): Promise<{ readonly at: Timestamp; readonly now: Timestamp }> {
	const moment = await evaluate(state, expression, lexed);
	const { timestamp: now } = await state.services.placement.issue();
	const ticks = moment(now);
	if (ticks <= 0n) {
		throw new DatabaseError("22023", `${clause}: there is nothing before 2020-01-01`);
	}
	const at = ticks > BigInt(timestampMax) ? timestampMax : timestamp(Number(ticks));
	return { at, now };
}

/** Ticks of the oracle, given its newest timestamp. */
type Moment = (now: Timestamp) => bigint;

async function evaluate(
	state: SessionState,
	expression: Expression,
	lexed: LexedStatement | undefined,
): Promise<Moment> {
	const { services, context } = state;
	const catalog = await services.catalog.newest();
	const { virtualTable } = services;
	const { searchPath } = context;
	const literals = lexed?.literals ?? [];
	const binder = new Binder({ catalog, virtualTable, searchPath, context }, [], literals);
	const scope = new Scope(undefined);
	const place = { binder, scope, clause, aggregates: false, sets: false };
	const bound = settled(binder, bindExpression(place, expression));
	if (binder.parameterTypes.length > 0) {
		throw new DatabaseError("0A000", `parameters in ${clause} are not supported`, {
			hint: "Write the timestamp into the statement.",
		});
	}
	const planner = new Planner(catalog);
	const compiled = compile(bound, CompileScope.root(planner).inner());
	const args = argumentReader(planner.arguments.list)(literals, [], context);
	// For expressions that read something: its own transaction, at now.
	const transaction = services.coordinator.begin({
		isolation: "repeatable read",
		mode: "optimistic",
		readOnly: true,
		lockTimeoutMs: 0,
		schemaVersion: catalog.version,
	});
	try {
		transaction.beginStatement(state.cancel);
		const execution = new Execution({
			runtime: services.runtime,
			store: new StatementStore(transaction, catalog.version),
			context,
			isolation: "repeatable read",
			rowIds: services.rowIds,
			cancel: state.cancel,
			moreRows: undefined,
			memoryLimit: services.statementMemory,
		});
		const value = await compiled.evaluate([], new Env(execution, args));
		return momentOf(state, value, bound.type.oid);
	} finally {
		await transaction.rollback();
	}
}

const toInstant: ReadonlySet<number> = new Set([OID.date, OID.timestamp]);

/** As text where it has no type, as an instant where it is a local time or a day. */
function settled(binder: Binder, bound: Bound): Bound {
	if (bound.type.oid === unknownOid) return coerce(binder, bound, plainType(OID.text), "explicit");
	if (toInstant.has(bound.type.oid)) {
		return coerce(binder, bound, plainType(OID.timestamptz), "explicit");
	}
	return bound;
}

function momentOf(state: SessionState, value: Datum, type: number): Moment {
	if (value === null) throw new DatabaseError("22004", `${clause} must not be null`);
	switch (type) {
		case OID.int2:
		case OID.int4:
		case OID.int8:
			return () => BigInt(value as number | bigint);
		case OID.numeric:
			return () => wholeTicks(value as Numeric);
		case OID.interval:
			return (now) => BigInt(now) + ticksOf(intervalSpan(value as Interval));
		case OID.timestamptz:
			return () => instantTicks(value as bigint);
		case OID.text:
			return textMoment(state, (value as string).trim());
		default:
			throw new DatabaseError(
				"42804",
				`${clause} must be a timestamp, an interval or a number, not ${formatType(plainType(type))}`,
			);
	}
}

function textMoment(state: SessionState, text: string): Moment {
	if (/^\d{10,}(\.0*)?$/.test(text)) return () => BigInt(text.split(".")[0]!);
	if (/^[-+P]/i.test(text)) {
		const span = intervalSpan(parseInterval(text));
		return (now) => BigInt(now) + ticksOf(span);
	}
	const instant = typeByOid(OID.timestamptz)!.parse(text, -1, state.context) as bigint;
	return () => instantTicks(instant);
}

function wholeTicks(value: Numeric): bigint {
	const whole = numericToBigint(value);
	if (whole !== undefined && compareNumeric(numericFromBigint(whole), value) === 0) return whole;
	throw new DatabaseError("22023", `${clause}: a raw timestamp is a whole number`);
}

/** Rounded down: nothing that committed later is seen. */
function ticksOf(micros: bigint): bigint {
	const ticks = micros * BigInt(ticksPerMs);
	return ticks / 1000n - (ticks % 1000n < 0n ? 1n : 0n);
}

/** Of microseconds since 2000. */
const instantTicks = (micros: bigint): bigint =>
	ticksOf(micros + postgresEpochMicros - BigInt(epochMs) * 1000n);
