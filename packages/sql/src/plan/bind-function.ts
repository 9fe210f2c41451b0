/** Functions in FROM: f(...), ROWS FROM (f(...), g(...)), and unnest of several arrays, which is the same. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnType, TableExpression } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { scalarCandidates, setCandidates } from "../types/registry.ts";
import { type CallNode, resolveSetCall } from "./bind-call.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import { renamed, siblingScope } from "./bind-from.ts";
import { type Binder, functionName } from "./binder.ts";
import { plainType } from "./bound.ts";
import { conditionsFor } from "./domains.ts";
import { fieldsOfType } from "./fields.ts";
import type { FunctionSource, LogicalFrom } from "./logical.ts";
import { Relation, type RelationColumn } from "./relation.ts";
import type { Scope } from "./scope.ts";
import { resolveTypeName, typesOf } from "./type-name.ts";

const columnOfType = (name: string, oid: number): RelationColumn => ({
	name,
	type: plainType(oid),
	tableOid: 0,
	attnum: 0,
});

export function bindFunctions(
	binder: Binder,
	item: Extract<TableExpression, { kind: "function" }>,
	scope: Scope,
): LogicalFrom {
	const around = siblingScope(scope);
	const place: Place = {
		binder,
		scope: around,
		clause: "functions in FROM",
		aggregates: false,
		sets: false,
	};
	const calls = item.calls.flatMap((call) => separated(binder, call));
	const shown = item.alias ?? functionName(binder, calls[0]!.name);
	// The only column of an only function is called as the table is.
	const columnName = calls.length === 1 ? shown : undefined;
	const { definitions } = item;
	if (definitions !== undefined && (calls.length > 1 || item.ordinality)) {
		throw new DatabaseError(
			"42601",
			`${item.ordinality ? "WITH ORDINALITY" : "ROWS FROM()"} cannot be used with a column definition list`,
			{
				hint: "Put the column definition list inside ROWS FROM().",
				position: definitions[0]!.at + 1,
			},
		);
	}
	const sources = calls.map((call) =>
		definitions === undefined
			? bindSource(place, call, columnName)
			: bindRecordSource(place, call, definitions),
	);
	const own = sources.flatMap(({ columns }) => columns);
	const columns = item.ordinality ? [...own, columnOfType("ordinality", 20)] : own;
	const relation = new Relation(shown, undefined, renamed(columns, item.columnAliases, shown));
	const [only] = sources;
	if (sources.length === 1 && !item.ordinality) relation.rowType = only?.row;
	relation.isScalar =
		columns.length === 1 && definitions === undefined && relation.rowType === undefined;
	scope.add(relation);
	return {
		kind: "function",
		relation,
		sources,
		ordinality: item.ordinality,
		lateral: around.usedParent,
	};
}

/** A function that leaves it to the query which columns its rows have. */
function bindRecordSource(
	place: Place,
	call: CallNode,
	definitions: readonly ColumnType[],
): FunctionSource {
	const name = functionName(place.binder, call.name);
	const bounds = call.args.map((arg) => bindExpression(place, arg));
	const wrong = (what: string): DatabaseError =>
		new DatabaseError("42601", `a column definition list is ${what}`, {
			position: definitions[0]!.at + 1,
		});
	const onlyRecords = 'only allowed for functions returning "record"';
	if (setCandidates(name).length === 0) {
		bindExpression(place, call);
		throw wrong(onlyRecords);
	}
	const { fn, args } = resolveSetCall(place, name, bounds, call.at);
	if (fn.withColumns === undefined) {
		const isRedundant = fn.columns.length > 1;
		throw wrong(isRedundant ? "redundant for a function with OUT parameters" : onlyRecords);
	}
	const look = typesOf(place.binder);
	const columns = definitions.map((one) => ({
		name: one.name,
		type: resolveTypeName(one.type, look),
	}));
	const restricted = columns.findIndex(
		({ type }) => conditionsFor(place.binder, type) !== undefined,
	);
	if (restricted >= 0) {
		// The function makes its values, and knows nothing of conditions.
		throw new DatabaseError("0A000", "domains in a column definition list are not supported", {
			hint: "Name the type that the domain is of, and cast the column to the domain.",
			position: definitions[restricted]!.at + 1,
		});
	}
	const twice = columns.find(({ name: own }, i) => columns.findIndex((c) => c.name === own) !== i);
	if (twice !== undefined) {
		throw new DatabaseError("42701", `column name "${twice.name}" specified more than once`);
	}
	return {
		fn: fn.withColumns(columns),
		name,
		args,
		argTypes: args.map((arg) => arg.type),
		columns: columns.map((column) => ({ ...column, tableOid: 0, attnum: 0 })),
	};
}

/** The columns that values of a row type stand for. */
const expanded = (binder: Binder, type: SqlType): readonly RelationColumn[] | undefined =>
	fieldsOfType(binder, type)?.map((field) => ({
		name: field.name,
		type: field.type,
		tableOid: 0,
		attnum: 0,
	}));

const separated = (binder: Binder, call: CallNode): readonly CallNode[] =>
	functionName(binder, call.name) === "unnest" && call.args.length > 1
		? call.args.map((arg) => ({ ...call, args: [arg] }))
		: [call];

function bindSource(place: Place, call: CallNode, columnName: string | undefined): FunctionSource {
	const name = functionName(place.binder, call.name);
	if (setCandidates(name).length === 0) {
		if (scalarCandidates(name).length === 0) bindExpression(place, call);
		const bound = bindExpression(place, call);
		const fields = expanded(place.binder, bound.type);
		if (fields !== undefined) {
			return { fn: undefined, name, args: [bound], argTypes: [], columns: fields, row: bound.type };
		}
		const column = { ...columnOfType(columnName ?? name, 0), type: bound.type };
		return { fn: undefined, name, args: [bound], argTypes: [], columns: [column] };
	}
	const bounds = call.args.map((arg) => bindExpression(place, arg));
	const { fn, args, columns: found } = resolveSetCall(place, name, bounds, call.at);
	if (fn.withColumns !== undefined) {
		throw new DatabaseError(
			"42601",
			'a column definition list is required for functions returning "record"',
			{ position: call.at + 1 },
		);
	}
	const argTypes = args.map((arg) => arg.type);
	const fields = found.length === 1 ? expanded(place.binder, found[0]!.type) : undefined;
	if (fields !== undefined) {
		return { fn, name, args, argTypes, columns: fields, row: found[0]!.type };
	}
	const [first] = fn.columns;
	// A column that the function itself names keeps its name.
	const own = first !== undefined && first.name !== name ? first.name : (columnName ?? name);
	const columns =
		found.length === 1
			? [columnOfType(own, found[0]!.type.oid)]
			: found.map((column) => columnOfType(column.name, column.type.oid));
	return { fn, name, args, argTypes, columns };
}
