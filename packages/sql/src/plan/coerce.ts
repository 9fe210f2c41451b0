/** Types made to fit: literals read as what their place wants, parameters typed by use, casts made explicit. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rowFieldsIn } from "../catalog/row-fields.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { isDomainArray, isRow, namedOid } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import {
	applyModifier,
	type CastDefinition,
	findCast,
	formatType,
	type TypeContext,
	typeByOid,
} from "../types/registry.ts";
import type { Binder } from "./binder.ts";
import { type Bound, beginningOf, constant, plainType, textType, unknownOid } from "./bound.ts";
import { checked, withDomain } from "./domains.ts";

export type CoercionContext = "implicit" | "assignment" | "explicit";

/** Types whose text input accepts any integer or decimal literal as it is written. */
const numberInputs = new Set([20, 21, 23, 26, 700, 701, 1700]);

/** As PostgreSQL's scanner: int4, else int8, else numeric. */
export function numberLiteralType(kind: "integer" | "decimal", text: string): number {
	if (kind === "decimal") return 1700;
	if (text.length < 10) return 23;
	const value = BigInt(text);
	if (value >= -2147483648n && value <= 2147483647n) return 23;
	return value >= -9223372036854775808n && value <= 9223372036854775807n ? 20 : 1700;
}

export function bindLiteral(
	binder: Binder,
	kind: "integer" | "decimal" | "string",
	text: string,
	at: number,
): Bound {
	if (kind === "string") return constant(text, plainType(unknownOid), at);
	const oid = numberLiteralType(kind, text);
	const value = typeByOid(oid)!.parse(text, -1, binder.environment.context);
	return constant(value, plainType(oid), at);
}

export function bindLifted(binder: Binder, index: number, at: number): Bound {
	const literal = binder.literals[index]!;
	const oid =
		literal.type === "string" ? unknownOid : numberLiteralType(literal.type, literal.text);
	const type = plainType(oid);
	return {
		kind: "argument",
		argument: {
			source: "lifted",
			index,
			type,
			explicit: false,
			choices: binder.choices,
		},
		type,
		args: [],
		at,
	};
}

export function bindParameter(binder: Binder, index: number, at: number): Bound {
	while (binder.parameterTypes.length < index) binder.parameterTypes.push(0);
	const type = plainType(binder.parameterTypes[index - 1]!);
	return {
		kind: "argument",
		argument: { source: "parameter", index: index - 1, type, explicit: false },
		type,
		args: [],
		at,
	};
}

/** The type that resolution sees: 705 for untyped literals, 0 for parameters without a type yet. */
export function resolutionType(binder: Binder, bound: Bound): number {
	if (bound.kind === "argument" && bound.argument.source === "parameter" && bound.type.oid === 0) {
		return binder.parameterTypes[bound.argument.index]!;
	}
	return bound.type.oid;
}

function cannotCoerce(
	from: SqlType,
	target: SqlType,
	context: CoercionContext,
	at: number,
	column: string | undefined,
): DatabaseError {
	const position = at >= 0 ? { position: at + 1 } : {};
	const isOfRow = from.oid === OID.record && isRow(target.oid);
	if (context === "assignment" && column !== undefined && !isOfRow) {
		return new DatabaseError(
			"42804",
			`column "${column}" is of type ${formatType(plainType(target.oid))} but expression is of type ${formatType(plainType(from.oid))}`,
			{ hint: "You will need to rewrite or cast the expression.", ...position },
		);
	}
	return new DatabaseError(
		"42846",
		`cannot cast type ${formatType(plainType(from.oid))} to ${formatType(plainType(target.oid))}`,
		position,
	);
}

function inputCast(target: number): CastDefinition | undefined {
	const cast = findCast(25, target);
	return cast === undefined ? undefined : { ...cast, context: "implicit" };
}

const rank = { implicit: 0, assignment: 1, explicit: 2 } as const;

/** `column`: named in the error of an assignment. Throws 42804, 42846, and what the type's input throws. */
export function coerce(
	binder: Binder,
	bound: Bound,
	target: SqlType,
	context: CoercionContext,
	column?: string,
): Bound {
	const based = toBase(binder, bound, target, context, column);
	// What is assigned to a column is checked as its row is written.
	const isText = bound.type.oid === unknownOid && (isRow(namedOid(target.oid)) || isArray(target));
	if (context === "assignment") return isText ? checked(binder, based, target) : based;
	if (target.domain !== undefined) return withDomain(binder, based, target);
	const isOfRow = isRow(namedOid(target.oid)) && based.kind !== "row";
	if (isOfRow && bound.type.oid !== target.oid) {
		return checked(binder, based, target);
	}
	if (context !== "explicit" || based.type.domain === undefined) return based;
	return { kind: "relabel", type: target, args: [based], at: based.at };
}

const isArray = ({ domain }: SqlType): boolean => domain !== undefined && isDomainArray(domain);

/** The domain apart. */
function toBase(
	binder: Binder,
	bound: Bound,
	target: SqlType,
	context: CoercionContext,
	column: string | undefined,
): Bound {
	const untyped = coerceUntyped(binder, bound, target, context === "explicit");
	if (untyped !== undefined) return untyped;
	const from = bound.type;
	if (from.oid === target.oid) return withModifier(bound, target, context === "explicit");
	if (bound.kind === "row" && from.oid === OID.record && isRow(target.oid)) {
		return rowAs(binder, bound, target, context);
	}
	const direct = literalAs(bound, target);
	if (direct !== undefined) return withModifier(direct, target, context === "explicit");
	if (from.oid === unknownOid && target.oid === 25) return { ...bound, type: textType };
	// A column of untyped literals (UNION, INSERT ... SELECT) holds text that the target's input reads.
	const cast = from.oid === unknownOid ? inputCast(target.oid) : findCast(from.oid, target.oid);
	if (cast === undefined || rank[cast.context] > rank[context]) {
		throw cannotCoerce(from, target, context, bound.at, column);
	}
	const converted: Bound = cast.binaryCoercible
		? { kind: "relabel", type: plainType(target.oid), args: [bound], at: bound.at }
		: { kind: "cast", cast, type: plainType(target.oid), args: [bound], at: bound.at };
	return withModifier(converted, target, context === "explicit");
}

/** A row that is made as one of a type: field by field (coerce_record_to_complex). Throws 42846. */
function rowAs(binder: Binder, row: Bound, target: SqlType, context: CoercionContext): Bound {
	const fields = rowFieldsIn(binder.environment.catalog, target.oid);
	const refused = (detail: string, at: number): DatabaseError =>
		new DatabaseError("42846", `cannot cast type record to ${formatType(plainType(target.oid))}`, {
			detail,
			...(at < 0 ? {} : { position: at + 1 }),
		});
	const args = (row.kind === "row" ? row.given : undefined) ?? row.args;
	const made = fields.map(({ type }, i) => {
		const arg = args[i];
		if (arg === undefined) throw refused("Input has too few columns.", row.at);
		try {
			return withDomain(binder, coerce(binder, arg, type, context), type);
		} catch (error) {
			if (!(error instanceof DatabaseError) || error.code !== "42846") throw error;
			const given = formatType(plainType(resolutionType(binder, arg)));
			throw refused(
				`Cannot cast type ${given} to ${formatType(type)} in column ${i + 1}.`,
				beginningOf(arg),
			);
		}
	});
	if (args.length > fields.length) throw refused("Input has too many columns.", row.at);
	const names = fields.map(({ name }) => name);
	return { kind: "row", names, type: plainType(target.oid), args: made, at: row.at };
}

const basic = (type: SqlType): SqlType =>
	type.domain === undefined ? type : { oid: type.oid, modifier: type.modifier };

/** Unknown literals and untyped parameters become the target type itself. */
function coerceUntyped(
	binder: Binder,
	bound: Bound,
	target: SqlType,
	explicit: boolean,
): Bound | undefined {
	if (bound.kind === "constant" && bound.type.oid === unknownOid) {
		if (bound.value === null) return { ...bound, type: basic(target) };
		if (target.oid === unknownOid) return bound;
		const { context } = binder.environment;
		const type = inputType(target.oid, bound.at);
		const parsed = parseLiteral(type, bound.value as string, bound.at, context);
		if (isMomentary(target.oid)) return castText(bound, target, explicit);
		if (binder.notes !== undefined && target.oid !== OID.interval) {
			return withModifier(
				{ ...bound, value: parsed, type: plainType(target.oid) },
				target,
				explicit,
			);
		}
		const value = target.modifier < 0 ? parsed : applyModifier(parsed, target, explicit);
		return { ...bound, value, type: basic(target) };
	}
	if (bound.kind !== "argument") return undefined;
	const { argument } = bound;
	if (argument.source === "lifted") {
		if (bound.type.oid !== unknownOid) return undefined;
		inputType(target.oid, bound.at);
		const type = basic(target);
		return { ...bound, type, argument: { ...argument, type, explicit } };
	}
	if (resolutionType(binder, bound) !== 0 && bound.type.oid !== 0) return undefined;
	const known = binder.parameterTypes[argument.index]!;
	if (known === 0) binder.parameterTypes[argument.index] = target.oid;
	const type = plainType(known === 0 ? target.oid : known);
	const typed: Bound = { ...bound, type, argument: { ...argument, type } };
	return toBase(binder, typed, target, explicit ? "explicit" : "assignment", undefined);
}

function parseLiteral(
	type: NonNullable<ReturnType<typeof typeByOid>>,
	text: string,
	at: number,
	context: TypeContext,
): Datum {
	try {
		return type.parse(text, -1, context);
	} catch (error) {
		if (!(error instanceof DatabaseError) || at < 0) throw error;
		throw new DatabaseError(error.code, error.message, { ...error.fields, position: at + 1 });
	}
}

/** The literal read anew whenever the plan runs. */
function castText(bound: Bound, target: SqlType, explicit: boolean): Bound | undefined {
	const cast = findCast(25, target.oid);
	if (cast === undefined) return undefined;
	// Still untyped: a text that is cast is another thing, and says so where it is written down.
	const value: Bound = {
		kind: "cast",
		cast,
		type: plainType(target.oid),
		args: [bound],
		at: bound.at,
	};
	return withModifier(value, target, explicit);
}

/** Types whose input depends on the catalog, the session or the clock: a constant of them is of this moment. */
const isMomentary = (oid: number): boolean =>
	(oid >= 1082 && oid <= 1184) ||
	isRow(namedOid(oid)) ||
	[24, 2202, 2203, 2204, 2205, 2206, 4089, 4096].includes(oid);

function inputType(oid: number, at: number): NonNullable<ReturnType<typeof typeByOid>> {
	const type = typeByOid(oid);
	if (type === undefined) {
		throw new DatabaseError(
			"42704",
			`type with OID ${oid} does not exist`,
			at >= 0 ? { position: at + 1 } : {},
		);
	}
	return type;
}

/** An integer literal in the place of another number type is read as that type. */
function literalAs(bound: Bound, target: SqlType): Bound | undefined {
	if (bound.kind !== "argument" || bound.argument.source !== "lifted") return undefined;
	const natural = bound.type.oid;
	const widens =
		(natural === 23 && numberInputs.has(target.oid) && target.oid !== 21 && target.oid !== 26) ||
		(natural === 20 && (target.oid === 1700 || target.oid === 701)) ||
		(natural === 1700 && target.oid === 701);
	if (!widens) return undefined;
	const type = plainType(target.oid);
	return { ...bound, type, argument: { ...bound.argument, type } };
}

function withModifier(bound: Bound, target: SqlType, explicit: boolean): Bound {
	if (target.modifier < 0 || bound.type.modifier === target.modifier) return bound;
	return { kind: "modifier", explicit, type: basic(target), args: [bound], at: bound.at };
}

/** What is still untyped becomes text. */
export function settle(binder: Binder, bound: Bound): Bound {
	if (bound.type.oid === unknownOid) return coerce(binder, bound, textType, "implicit");
	if (bound.type.oid === 0) {
		const known = resolutionType(binder, bound);
		return coerce(binder, bound, known === 0 ? textType : plainType(known), "implicit");
	}
	return bound;
}
