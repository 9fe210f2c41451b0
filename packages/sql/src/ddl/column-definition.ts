/** Columns as CREATE TABLE and ADD COLUMN define them: type, default, sequence behind SERIAL and IDENTITY. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import type { ColumnDescriptor, SequenceDescriptor } from "../catalog/descriptor.ts";
import { referenceText } from "../catalog/sequence-references.ts";
import { columnCodec } from "../execute/column-codec.ts";
import type {
	ColumnConstraint,
	ColumnDefinition,
	Expression,
	Option,
	QualifiedName,
	TableConstraint,
} from "../parser/ast.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import { type Bound, plainType } from "../plan/bound.ts";
import { Scope } from "../plan/scope.ts";
import { collationOf, resolveTypeName } from "../plan/type-name.ts";
import type { SqlType } from "../types/datum.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { numbersOf } from "./sequence-numbers.ts";
import { binderIn, storedText, typedFor } from "./stored-expression.ts";

const ofSystem: ReadonlySet<string> = new Set("ctid xmin cmin xmax cmax tableoid".split(" "));

/** Throws 42701 for names that PostgreSQL gives to columns of its own. */
export function requireColumnName(name: string): void {
	if (!ofSystem.has(name)) return;
	throw new DatabaseError("42701", `column name "${name}" conflicts with a system column name`);
}

const serials: Readonly<Record<string, number>> = dictionary({
	smallserial: 21,
	serial2: 21,
	serial: 23,
	serial4: 23,
	bigserial: 20,
	serial8: 20,
});

export interface NewColumn {
	readonly column: ColumnDescriptor;
	/** GENERATED ALWAYS AS (...): to be bound when all columns are known (`withGenerated`). */
	readonly generated: Expression | undefined;
	/** To be created with it; its owner is filled in then. */
	readonly sequence: SequenceDescriptor | undefined;
}

function typeOf(editor: SchemaEditor, definition: ColumnDefinition): SqlType {
	const type = resolveTypeName(definition.type, editor.types);
	editor.requireUsage(type);
	const found = typeByOid(type.oid);
	if (found === undefined || found.category === "P" || type.oid === 705) {
		throw new DatabaseError(
			"42P16",
			`column "${definition.name}" has pseudo-type ${formatType(type)}`,
			{ position: definition.at + 1 },
		);
	}
	columnCodec(type.oid);
	return type;
}

/** Text of a default, after it was found to fit the column. */
export function defaultText(
	editor: SchemaEditor,
	name: string,
	type: SqlType,
	value: Expression,
): string | undefined {
	if (value.kind === "null") return undefined;
	const binder = binderIn(editor);
	const place = {
		binder,
		scope: new DefaultScope(),
		clause: "DEFAULT expressions",
		aggregates: false,
		sets: false,
	};
	// Whether it is too long is seen when it is used.
	const whole = { ...type, modifier: -1 };
	const bind = (node: Expression): Bound =>
		typedFor(binder, bindExpression(place, node), { type: whole, name });
	const bound = bind(value);
	if (bound.kind === "constant" && bound.value === null) return undefined;
	return storedText(editor, value, bind, []);
}

/** No column is in scope of a default. */
class DefaultScope extends Scope {
	constructor() {
		super(undefined);
	}

	override find(name: QualifiedName): undefined {
		throw new DatabaseError("0A000", "cannot use column reference in DEFAULT expression", {
			position: name.at + 1,
		});
	}
}

const sequenceTypes: Readonly<Record<number, string>> = { 21: "int2", 23: "int4", 20: "int8" };

export async function ownedSequence(
	editor: SchemaEditor,
	schema: string,
	table: string,
	column: string,
	typeOid: number,
	taken: ReadonlySet<string>,
	options: readonly Option[],
): Promise<SequenceDescriptor> {
	if (sequenceTypes[typeOid] === undefined) {
		throw new DatabaseError("22023", "identity column type must be smallint, integer, or bigint");
	}
	const type = { name: "as", value: sequenceTypes[typeOid], at: -1 };
	const given = options.filter((one) => one.name !== "sequence_name");
	const numbers = numbersOf([type, ...given]);
	const wanted = options.find((one) => one.name === "sequence_name")?.value;
	return {
		kind: "sequence",
		oid: await editor.newId(),
		schema,
		name: Array.isArray(wanted)
			? sequenceName(editor, schema, wanted)
			: editor.freeName(schema, [table, column, "seq"], taken),
		...numbers,
		ownedBy: undefined,
		valueId: await editor.newDataId(schema),
	};
}

/** SEQUENCE NAME. Throws 55000, 42P07. */
function sequenceName(editor: SchemaEditor, schema: string, parts: readonly string[]): string {
	const name = parts.at(-1)!;
	if ((parts.at(-2) ?? schema) !== schema) {
		throw new DatabaseError("55000", "sequence must be in same schema as table it is linked to");
	}
	if (editor.isTaken(schema, name)) throw alreadyExists(name);
	return name;
}

/** Throws 42601 where it is not the only thing that is said of the column's values. */
function generatedExpression(
	table: string,
	name: string,
	constraints: ColumnDefinition["constraints"],
	isSerial: boolean,
): Expression | undefined {
	const [first, second] = constraints.filter((one) => one.kind === "generated");
	if (first === undefined) return undefined;
	const refused = (message: string, at: number): DatabaseError =>
		new DatabaseError("42601", message, { position: at + 1 });
	const of = `for column "${name}" of table "${table}"`;
	if (second !== undefined) {
		throw refused(`multiple generation clauses specified ${of}`, second.at);
	}
	if (first.byDefaultAt !== undefined) {
		throw refused("for a generated column, GENERATED ALWAYS must be specified", first.byDefaultAt);
	}
	const given = constraints.find((one) => one.kind === "default");
	if (isSerial || given !== undefined) {
		const at = Math.max(first.at, given?.at ?? first.at);
		throw refused(`both default and generation expression specified ${of}`, at);
	}
	const identity = constraints.find((one) => one.kind === "identity");
	if (identity !== undefined) {
		const at = Math.max(first.at, identity.at);
		throw refused(`both identity and generation expression specified ${of}`, at);
	}
	return first.expression;
}

export const nextvalText = (sequence: SequenceDescriptor): string =>
	`nextval(${referenceText(sequence)})`;

const serialOf = ({ dimensions, name }: ColumnDefinition["type"]): number | undefined =>
	dimensions === 0 ? serials[name.join(".")] : undefined;

/** It comes with an index. */
export const isKey = <T extends ColumnConstraint | TableConstraint>(
	constraint: T,
): constraint is Extract<T, { kind: "primary-key" | "unique" }> =>
	constraint.kind === "primary-key" || constraint.kind === "unique";

export const isSerial = (type: ColumnDefinition["type"]): boolean => serialOf(type) !== undefined;

export async function newColumn(
	editor: SchemaEditor,
	schema: string,
	table: string,
	definition: ColumnDefinition,
	attnum: number,
	taken: ReadonlySet<string>,
): Promise<NewColumn> {
	const { name, constraints } = definition;
	const serial = serialOf(definition.type);
	const type = serial === undefined ? typeOf(editor, definition) : plainType(serial);
	const identity = constraints.find((one) => one.kind === "identity");
	const given = constraints.find((one) => one.kind === "default");
	const defaults = constraints.filter((one) => one.kind === "default" || one.kind === "identity");
	if (defaults.length > 1 || (given !== undefined && serial !== undefined)) {
		throw new DatabaseError(
			"42601",
			`multiple default values specified for column "${name}" of table "${table}"`,
			{ position: defaults.at(-1)!.at + 1 },
		);
	}
	const expression = generatedExpression(table, name, constraints, serial !== undefined);
	const notNull = constraints.some((one) => one.kind === "not-null");
	const conflicting = constraints.findLast((one) => one.kind === "null" || one.kind === "not-null");
	const isNullable = constraints.some((one) => one.kind === "null");
	if (isNullable && (notNull || constraints.some((one) => one.kind === "primary-key"))) {
		throw new DatabaseError(
			"42601",
			`conflicting NULL/NOT NULL declarations for column "${name}" of table "${table}"`,
			{ position: (conflicting ?? definition).at + 1 },
		);
	}
	const counts = identity !== undefined || serial !== undefined;
	const options = identity?.options ?? [];
	const sequence = counts
		? await ownedSequence(editor, schema, table, name, type.oid, taken, options)
		: undefined;
	return {
		sequence,
		generated: expression,
		column: {
			attnum,
			name,
			type,
			...collationOf(definition.type),
			notNull: notNull || counts,
			defaultText:
				sequence !== undefined
					? nextvalText(sequence)
					: given && defaultText(editor, name, type, given.value),
			identity: identity === undefined ? undefined : identity.always ? "always" : "by default",
			missingText: undefined,
			dropped: false,
		},
	};
}
