/** Labels of enums to the sort keys that stand for them in rows, and back. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { FunctionContext } from "../types/registry.ts";
import type { EnumDescriptor, EnumValue } from "./descriptor.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { typeDescriptor, typeName, withTypeNames } from "./type-names.ts";

/** Of one descriptor, which never changes. */
const known = new WeakMap<
	EnumDescriptor,
	{ readonly keys: ReadonlyMap<string, string>; readonly labels: ReadonlyMap<string, string> }
>();

function labelsOf(catalog: CatalogSnapshot, oid: number) {
	const type = typeDescriptor(catalog, oid);
	if (type?.of !== "enum") throw new DatabaseError("42704", `type with OID ${oid} does not exist`);
	let found = known.get(type);
	if (found === undefined) {
		found = {
			keys: new Map(type.values.map(({ label, sortKey }) => [label, sortKey])),
			labels: new Map(type.values.map(({ label, sortKey }) => [sortKey, label])),
		};
		known.set(type, found);
	}
	return found;
}

/** Throws 22P02. */
export function sortKeyOf(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	oid: number,
	label: string,
): string {
	const key = labelsOf(catalog, oid).keys.get(label);
	if (key !== undefined) return key;
	const name = typeName(catalog, context.searchPath, oid);
	throw new DatabaseError("22P02", `invalid input value for enum ${name}: "${label}"`);
}

export function labelOf(catalog: CatalogSnapshot, oid: number, sortKey: string): string {
	const label = labelsOf(catalog, oid).labels.get(sortKey);
	if (label !== undefined) return label;
	throw new DatabaseError("XX000", `enum ${oid} has no value ${sortKey} in this catalog`);
}

function enumValue(catalog: CatalogSnapshot, oid: number, sortKey: string): EnumValue | undefined {
	const type = typeDescriptor(catalog, oid);
	return type?.of === "enum" ? type.values.find((one) => one.sortKey === sortKey) : undefined;
}

/** A plan as it is shown: values have their labels, types their names. */
export const withLabels = (
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	text: string,
): string =>
	withTypeNames(catalog, searchPath, text).replace(
		/label:(\d+):([0-9a-z]+)/g,
		(whole, oid, sortKey) => enumValue(catalog, Number(oid), sortKey)?.label ?? whole,
	);

/** In their order. */
export const sortKeysOf = (catalog: CatalogSnapshot, oid: number): readonly string[] => [
	...labelsOf(catalog, oid).keys.values(),
];
