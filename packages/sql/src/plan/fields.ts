/** Fields of rows: (row).field and (row).*. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rowFieldsIn } from "../catalog/row-fields.ts";
import type { Expression } from "../parser/ast.ts";
import type { RowField, SqlType } from "../types/datum.ts";
import { isRow } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import { formatType } from "../types/registry.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import type { Binder } from "./binder.ts";
import { type Bound, beginningOf, isWrittenRow } from "./bound.ts";

type FieldNode = Extract<Expression, { kind: "field" | "fields" }>;

/** Undefined: it is no row, or one of which nothing is known. */
export function fieldsOfType(
	binder: Binder,
	{ oid, fields }: SqlType,
): readonly RowField[] | undefined {
	return isRow(oid) ? rowFieldsIn(binder.environment.catalog, oid) : fields;
}

/** The type of a row whose fields are those. */
export const recordOf = (fields: readonly RowField[]): SqlType => ({
	oid: OID.record,
	modifier: -1,
	fields,
});

/** Errors about it are at the place of the row. */
export function fieldOf(operand: Bound, index: number, { type }: RowField): Bound {
	// What a row is made of is at hand.
	const at = beginningOf(operand);
	if (operand.kind === "row") return { ...operand.args[index]!, at };
	return { kind: "field", index, type, args: [operand], at };
}

/** Throws 42809 and 42703, at the place of the row. */
export function bindField(place: Place, node: Extract<FieldNode, { kind: "field" }>): Bound {
	const operand = bindExpression(place, node.operand);
	const fields = fieldsOfType(place.binder, operand.type);
	const index = fields?.findIndex(({ name }) => name === node.name) ?? -1;
	if (index >= 0) {
		const { type } = fields![index]!;
		const isMade = place.binder.notes !== undefined && isWrittenRow(operand);
		return isMade
			? { kind: "field", index, type, args: [operand], at: beginningOf(operand) }
			: fieldOf(operand, index, fields![index]!);
	}
	throw missingField(operand, node, aliasOf(operand, node.operand));
}

/** Of a relation whose whole row it is. */
function aliasOf(operand: Bound, node: Expression): string | undefined {
	const isWhole = operand.kind === "row" || operand.kind === "case";
	if (node.kind === "column" && isWhole) return node.name.parts.at(-1);
	return node.kind === "star" ? node.qualifier.at(-1) : undefined;
}

const placeOf = (operand: Bound): { readonly position?: number } => {
	const begins = beginningOf(operand);
	return begins < 0 ? {} : { position: begins + 1 };
};

const shownType = ({ oid, modifier }: SqlType): string =>
	oid === 0 ? "unknown" : formatType({ oid, modifier });

function missingField(
	operand: Bound,
	{ name }: Extract<FieldNode, { kind: "field" }>,
	alias: string | undefined,
): DatabaseError {
	const { type } = operand;
	const at = placeOf(operand);
	if (alias !== undefined) {
		return new DatabaseError("42703", `column ${alias}.${name} does not exist`, at);
	}
	if (isRow(type.oid)) {
		return new DatabaseError(
			"42703",
			`column "${name}" not found in data type ${shownType(type)}`,
			at,
		);
	}
	if (type.oid !== OID.record) {
		return new DatabaseError(
			"42809",
			`column notation .${name} applied to type ${shownType(type)}, which is not a composite type`,
			at,
		);
	}
	if (type.fields === undefined && operand.kind === "column") return unregistered();
	return new DatabaseError("42703", `could not identify column "${name}" in record data type`, at);
}

const unregistered = (): DatabaseError =>
	new DatabaseError("42809", "record type has not been registered");

/** All of them, of one value. Throws 42809, 0A000. */
export function bindFields(
	place: Place,
	node: Extract<FieldNode, { kind: "fields" }>,
): readonly { readonly name: string; readonly bound: Bound }[] {
	const operand = bindExpression(place, node.operand);
	const fields = fieldsOfType(place.binder, operand.type);
	if (fields !== undefined) {
		return fields.map((field, i) => ({
			name: field.name,
			bound: fieldOf(operand, i, field),
		}));
	}
	if (operand.type.oid === OID.record) throw unregistered();
	throw new DatabaseError(
		"42809",
		`type ${shownType(operand.type)} is not composite`,
		placeOf(operand),
	);
}
