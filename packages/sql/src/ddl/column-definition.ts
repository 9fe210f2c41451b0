/** Columns as CREATE TABLE and ADD COLUMN define them: type, default, sequence behind SERIAL and IDENTITY. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnDescriptor, SequenceDescriptor } from "../catalog/descriptor.ts";
import { columnCodec } from "../execute/column-codec.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { ColumnDefinition, Expression, QualifiedName } from "../parser/ast.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import { Binder } from "../plan/binder.ts";
import { plainType } from "../plan/bound.ts";
import { coerce } from "../plan/coerce.ts";
import { Scope } from "../plan/scope.ts";
import { resolveTypeName } from "../plan/type-name.ts";
import type { SqlType } from "../types/datum.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { deparse } from "./deparse.ts";
import type { SchemaEditor } from "./schema-editor.ts";

const serials: Readonly<Record<string, number>> = {
	smallserial: 21,
	serial2: 21,
	serial: 23,
	serial4: 23,
	bigserial: 20,
	serial8: 20,
};

export interface NewColumn {
	readonly column: ColumnDescriptor;
	/** To be created with it; its owner is filled in then. */
	readonly sequence: SequenceDescriptor | undefined;
}

function typeOf(definition: ColumnDefinition): SqlType {
	const type = resolveTypeName(definition.type);
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
	const { state } = editor;
	const binder = new Binder(
		{
			catalog: editor.catalog,
			virtualTable: state.services.virtualTable,
			searchPath: state.context.searchPath,
			context: state.context,
		},
		[],
		[],
	);
	const place = {
		binder,
		scope: new DefaultScope(),
		clause: "DEFAULT expressions",
		aggregates: false,
		sets: false,
	};
	coerce(binder, bindExpression(place, value), type, "assignment", name);
	const text = deparse(value);
	const isString = value.kind === "literal" && value.type === "string";
	return isString ? `${text}::${formatType(plainType(type.oid))}` : text;
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

const limits: Readonly<Record<number, readonly [string, string]>> = {
	21: ["32767", "smallint"],
	23: ["2147483647", "integer"],
	20: ["9223372036854775807", "bigint"],
};

export async function ownedSequence(
	editor: SchemaEditor,
	schema: string,
	table: string,
	column: string,
	typeOid: number,
	taken: ReadonlySet<string>,
): Promise<SequenceDescriptor> {
	const range = limits[typeOid];
	if (range === undefined) {
		throw new DatabaseError("22023", "identity column type must be smallint, integer, or bigint");
	}
	return {
		kind: "sequence",
		oid: await editor.newId(),
		schema,
		name: editor.freeName(schema, [table, column, "seq"], taken),
		typeOid,
		start: "1",
		increment: "1",
		min: "1",
		max: range[0],
		cache: 1,
		cycle: false,
		ownedBy: undefined,
		valueId: await editor.newId(),
	};
}

const nextvalText = (sequence: SequenceDescriptor): string =>
	`nextval('${quoteIdentifier(sequence.name).replaceAll("'", "''")}'::regclass)`;

export async function newColumn(
	editor: SchemaEditor,
	schema: string,
	table: string,
	definition: ColumnDefinition,
	attnum: number,
	taken: ReadonlySet<string>,
): Promise<NewColumn> {
	const { name, constraints } = definition;
	const serial =
		definition.type.dimensions === 0 ? serials[definition.type.name.join(".")] : undefined;
	const type = serial === undefined ? typeOf(definition) : plainType(serial);
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
	const generated = identity !== undefined || serial !== undefined;
	const sequence = generated
		? await ownedSequence(editor, schema, table, name, type.oid, taken)
		: undefined;
	return {
		sequence,
		column: {
			attnum,
			name,
			type,
			notNull: notNull || generated,
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
