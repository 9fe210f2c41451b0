/** Values of a plan's arguments in one run: the client's parameters, and literals read as the types that the plan wants. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { LiftedLiteral } from "../parser/parse.ts";
import type { Datum } from "../types/datum.ts";
import { applyModifier, type FunctionContext, typeByOid } from "../types/registry.ts";
import type { Argument } from "./bound.ts";

export type ReadArguments = (
	literals: readonly LiftedLiteral[],
	parameters: readonly Datum[],
	context: FunctionContext,
) => readonly Datum[];

type Read = (
	literals: readonly LiftedLiteral[],
	parameters: readonly Datum[],
	context: FunctionContext,
) => Datum;

/** An error with the position of the literal that caused it. */
export function placed(error: unknown, at: number): unknown {
	if (!(error instanceof DatabaseError) || error.fields.position !== undefined) return error;
	return new DatabaseError(error.code, error.message, { ...error.fields, position: at + 1 });
}

function reader(argument: Argument): Read {
	const { index, type, explicit } = argument;
	if (argument.source === "parameter") return (_literals, parameters) => parameters[index] ?? null;
	if (type.oid === 25 || type.oid === 705) return (literals) => literals[index]!.text;
	const definition = typeByOid(type.oid)!;
	const { oid } = type;
	return (literals, _parameters, context) => {
		const literal = literals[index]!;
		if (literal.type === "integer") {
			if (oid === 23) return Number(literal.text);
			if (oid === 20) return BigInt(literal.text);
		}
		let value: Datum;
		try {
			value = definition.parse(literal.text, -1, context);
		} catch (error) {
			throw placed(error, literal.at);
		}
		return type.modifier < 0 ? value : applyModifier(value, type, explicit);
	};
}

const nothing: readonly Datum[] = [];

export function argumentReader(list: readonly Argument[]): ReadArguments {
	const readers = list.map(reader);
	if (readers.length === 0) return () => nothing;
	return (literals, parameters, context) => {
		const values: Datum[] = new Array(readers.length);
		for (let i = 0; i < readers.length; i++) {
			values[i] = readers[i]!(literals, parameters, context);
		}
		return values;
	};
}
