/** pg_type, pg_proc and what else describes types and functions: but for the types that somebody has made the same in every database. */
import type { Datum, SqlType } from "../types/datum.ts";
import { arrayOfMade, isEnum, objectIdOf, rowTypeOid } from "../types/made-oids.ts";
import { allFunctions, allTypes, typeByOid } from "../types/registry.ts";
import { type Collated, collationOids } from "./collations.ts";
import type {
	CompositeDescriptor,
	DomainDescriptor,
	EnumDescriptor,
	TableDescriptor,
	TypeDescriptor,
	ViewDescriptor,
} from "./descriptor.ts";
import { informationSchemaOid, pgCatalogOid } from "./schema.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { btreeOid, ownerOid, utf8Encoding } from "./system-names.ts";
import { aclDatum } from "./system-privileges.ts";
import type { SystemRow } from "./system-table.ts";
import { pgTypeRows } from "./system-type-data.ts";
import { typeDescriptor } from "./type-names.ts";

export interface TypeData {
	readonly oid: number;
	readonly length: number;
	readonly byValue: boolean;
	readonly align: string;
	readonly storage: string;
	readonly collation: number;
	/** typinput, typoutput, typreceive, typsend, typsubscript, by name. */
	readonly functions: readonly string[];
}

const data: ReadonlyMap<number, TypeData & { readonly type: string }> = new Map(
	pgTypeRows
		.trim()
		.split("\n")
		.map((line) => {
			const [
				oid,
				,
				length,
				byValue,
				type = "b",
				,
				,
				,
				,
				align = "i",
				storage = "p",
				collation,
				...io
			] = line.split(" ");
			return [
				Number(oid),
				{
					oid: Number(oid),
					length: Number(length),
					byValue: byValue === "1",
					type,
					align,
					storage,
					collation: Number(collation),
					functions: io,
				},
			];
		}),
);

/** pg_attribute repeats this of a column's type. */
export const typeData = (oid: number): TypeData | undefined => data.get(oid);

/** What COLLATE has said of it, else its type; 0: it has no order that could be named. */
export function collationIn(
	catalog: CatalogSnapshot,
	{ type, collation }: Collated & { readonly type: SqlType },
): number {
	if (collation !== undefined) return collation;
	const domain = type.domain === undefined ? undefined : typeDescriptor(catalog, type.domain);
	if (domain?.of !== "domain") return data.get(type.oid)?.collation ?? 0;
	return collationIn(catalog, { ...domain, type: domain.base });
}

export interface Procedure {
	readonly oid: number;
	readonly name: string;
	readonly args: readonly number[];
	readonly result: number;
	/** f: function, a: aggregate, w: window function. */
	readonly kind: string;
	readonly returnsSet: boolean;
	readonly strict: boolean;
	readonly volatility: string;
	readonly variadic: boolean;
}

const volatilities = { immutable: "i", stable: "s", volatile: "v" } as const;
const record = 2249;
const internal = 2281;

const madeTypeFunctions = [
	"enum_in",
	"enum_out",
	"enum_recv",
	"enum_send",
	"domain_in",
	"domain_recv",
];

/** Functions have OIDs of their own here, in a fixed order from 1: clients look them up by name. */
function listProcedures(): Procedure[] {
	const { scalar, aggregate, set, window } = allFunctions();
	const plain = { kind: "f", returnsSet: false, strict: true, volatility: "i", variadic: false };
	const listed: Omit<Procedure, "oid">[] = [];
	const inputOutput = new Set([...data.values()].flatMap(({ functions }) => functions));
	for (const name of [...inputOutput].filter((name) => name !== "-").sort()) {
		listed.push({ ...plain, name, args: [internal], result: internal });
	}
	for (const { name, args, result, strict, volatility, variadic } of scalar) {
		const volatile = volatilities[volatility];
		listed.push({ ...plain, name, args, result, strict, volatility: volatile, variadic });
	}
	for (const { name, args, result, strict } of aggregate) {
		listed.push({ ...plain, kind: "a", name, args, result, strict });
	}
	for (const { name, args, columns } of set) {
		const only = columns.length === 1 ? columns[0] : undefined;
		listed.push({ ...plain, returnsSet: true, name, args, result: only?.oid ?? record });
	}
	for (const { name, args, result } of window) {
		listed.push({ ...plain, kind: "w", name, args, result });
	}
	for (const name of madeTypeFunctions) {
		listed.push({ ...plain, name, args: [internal], result: internal });
	}
	return listed.map((procedure, i) => ({ ...procedure, oid: i + 1 }));
}

export const procedures: readonly Procedure[] = listProcedures();
const procedureOids = new Map<string, number>();
for (const { name, oid } of procedures) {
	procedureOids.set(name, procedureOids.get(name) ?? oid);
}

/** Of the first function of that name; 0 if there is none. */
export const procedureOid = (name: string): number => procedureOids.get(name) ?? 0;

const vector = (elements: readonly Datum[]): Datum => ({ kind: "array", elements, lower: 0 });

export function* typeRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const type of allTypes()) {
		const recorded = data.get(type.oid);
		const [input = "-", output = "-", receive = "-", send = "-", subscript = "-"] =
			recorded?.functions ?? [];
		yield {
			oid: type.oid,
			typname: type.name,
			typnamespace: pgCatalogOid,
			typowner: ownerOid,
			typlen: recorded?.length ?? type.length,
			typbyval: recorded?.byValue ?? false,
			typtype: recorded?.type ?? "b",
			typcategory: type.category,
			typispreferred: type.preferred,
			typisdefined: true,
			typdelim: ",",
			typsubscript: procedureOid(subscript),
			typelem: type.elementOid,
			typarray: type.arrayOid,
			typinput: procedureOid(input),
			typoutput: procedureOid(output),
			typreceive: procedureOid(receive),
			typsend: procedureOid(send),
			typalign: recorded?.align ?? "i",
			typstorage: recorded?.storage ?? "p",
			typtypmod: -1,
			typcollation: recorded?.collation ?? 0,
		};
	}
	yield* placeholders;
	for (const type of catalog.types()) {
		if (type.of === "enum") yield* enumTypeRows(catalog, type);
		else if (type.of === "domain") yield* domainTypeRows(catalog, type);
		else yield* rowTypeRows(catalog, type, type.oid, objectIdOf(type.oid));
	}
	for (const relation of catalog.relations()) {
		if (relation.kind === "table" || relation.kind === "view") {
			yield* rowTypeRows(catalog, relation, rowTypeOid(relation.oid), relation.oid);
		}
	}
}

/** Types that are not here, and that drivers do not start without: ruby-pg's BasicTypeMapForQueries looks for them by name. */
const placeholders: readonly SystemRow[] = [
	{ oid: 869, typname: "inet", typcategory: "I", typarray: 1041, typinput: "inet_in" },
	{ oid: 1041, typname: "_inet", typcategory: "A", typelem: 869, typinput: "array_in" },
].map((row) => ({
	...row,
	typnamespace: pgCatalogOid,
	typowner: ownerOid,
	typlen: -1,
	typtype: "b",
	typisdefined: false,
	typdelim: ",",
	typinput: procedureOid(row.typinput) || procedureOid("unknownin"),
	typalign: "i",
	typstorage: "m",
	typtypmod: -1,
}));

/** Of the type itself, not of its array. */
const rightsOf = (catalog: CatalogSnapshot, type: TypeDescriptor): SystemRow => ({
	typacl: aclDatum(catalog, type.acl),
});

type Named = Pick<TypeDescriptor, "schema" | "name" | "owner">;

const sharedOf = (catalog: CatalogSnapshot, type: Named): SystemRow => ({
	typnamespace: catalog.schemas.byName(type.schema)?.oid ?? 0,
	typowner: type.owner ?? ownerOid,
	typisdefined: true,
	typdelim: ",",
	typalign: "i",
	typtypmod: -1,
});

/** Of a domain and its array. */
function* domainTypeRows(catalog: CatalogSnapshot, type: DomainDescriptor): Iterable<SystemRow> {
	yield { ...domainTypeRow(catalog, type), typarray: arrayOfMade(type.oid) };
	yield arrayRow(catalog, type, type.oid);
}

function domainTypeRow(catalog: CatalogSnapshot, type: DomainDescriptor): SystemRow {
	const { base, notNull, defaultText } = type;
	const recorded = data.get(base.oid);
	const [, output = "-", , send = "-"] = recorded?.functions ?? [];
	const definition = typeByOid(base.oid);
	return {
		...sharedOf(catalog, type),
		...rightsOf(catalog, type),
		oid: type.oid,
		typname: type.name,
		typlen: recorded?.length ?? definition?.length ?? -1,
		typbyval: recorded?.byValue ?? isEnum(base.oid),
		typtype: "d",
		typcategory: definition?.category ?? "U",
		typinput: procedureOid("domain_in"),
		typoutput: procedureOid(isEnum(base.oid) ? "enum_out" : output),
		typreceive: procedureOid("domain_recv"),
		typsend: procedureOid(isEnum(base.oid) ? "enum_send" : send),
		typalign: recorded?.align ?? "i",
		typstorage: recorded?.storage ?? "p",
		typnotnull: notNull,
		typbasetype: base.domain ?? base.oid,
		typtypmod: base.domain === undefined ? base.modifier : -1,
		typcollation: collationIn(catalog, { ...type, type: base }),
		...(defaultText === undefined ? {} : { typdefault: defaultText, typdefaultbin: defaultText }),
	};
}

/** Of a type of rows and its array. `relation`: its row in pg_class. */
function* rowTypeRows(
	catalog: CatalogSnapshot,
	type: CompositeDescriptor | TableDescriptor | ViewDescriptor,
	oid: number,
	relation: number,
): Iterable<SystemRow> {
	yield {
		...sharedOf(catalog, type),
		...("of" in type ? rightsOf(catalog, type) : {}),
		oid,
		typname: type.name,
		typlen: -1,
		typbyval: false,
		typtype: "c",
		typcategory: "C",
		typrelid: relation,
		typarray: arrayOfMade(oid),
		typinput: procedureOid("record_in"),
		typoutput: procedureOid("record_out"),
		typreceive: procedureOid("record_recv"),
		typsend: procedureOid("record_send"),
		typalign: "d",
		typstorage: "x",
	};
	yield { ...arrayRow(catalog, type, oid), typalign: "d" };
}

/** Of an array of a type. */
const arrayRow = (catalog: CatalogSnapshot, type: Named, element: number): SystemRow => ({
	...sharedOf(catalog, type),
	oid: arrayOfMade(element),
	typname: arrayName(catalog, type),
	typlen: -1,
	typtype: "b",
	typcategory: "A",
	typelem: element,
	typsubscript: procedureOid("array_subscript_handler"),
	typinput: procedureOid("array_in"),
	typoutput: procedureOid("array_out"),
	typreceive: procedureOid("array_recv"),
	typsend: procedureOid("array_send"),
	typstorage: "x",
});

/** Of an enum and its array. */
function* enumTypeRows(catalog: CatalogSnapshot, type: EnumDescriptor): Iterable<SystemRow> {
	yield {
		...sharedOf(catalog, type),
		...rightsOf(catalog, type),
		oid: type.oid,
		typname: type.name,
		typlen: 4,
		typbyval: true,
		typtype: "e",
		typcategory: "E",
		typarray: arrayOfMade(type.oid),
		typinput: procedureOid("enum_in"),
		typoutput: procedureOid("enum_out"),
		typreceive: procedureOid("enum_recv"),
		typsend: procedureOid("enum_send"),
		typstorage: "p",
	};
	yield arrayRow(catalog, type, type.oid);
}

/** With as many underscores as make it a name of its own. */
export function arrayName(catalog: CatalogSnapshot, { schema, name }: Named): string {
	let array = `_${name}`;
	const isTaken = (one: string): boolean =>
		catalog.type(schema, one) !== undefined || catalog.object(schema, one) !== undefined;
	while (isTaken(array)) array = `_${array}`;
	return array;
}

export function* enumRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const type of catalog.types()) {
		if (type.of !== "enum") continue;
		const { oid: enumtypid, values } = type;
		for (const [i, { oid, label }] of values.entries()) {
			yield { oid, enumtypid, enumsortorder: i + 1, enumlabel: label };
		}
	}
}

export function* procedureRows(): Iterable<SystemRow> {
	for (const procedure of procedures) {
		const [schema, inSchema] = procedure.name.split(".");
		yield {
			oid: procedure.oid,
			proname: inSchema ?? schema!,
			pronamespace: inSchema === undefined ? pgCatalogOid : informationSchemaOid,
			proowner: ownerOid,
			prolang: internalLanguageOid,
			procost: 1,
			prorows: procedure.returnsSet ? 1000 : 0,
			provariadic: procedure.variadic ? (procedure.args.at(-1) ?? 0) : 0,
			prokind: procedure.kind,
			proisstrict: procedure.strict,
			proretset: procedure.returnsSet,
			provolatile: procedure.volatility,
			proparallel: "s",
			pronargs: procedure.args.length,
			prorettype: procedure.result,
			proargtypes: vector(procedure.args),
			prosrc: inSchema ?? schema!,
		};
	}
}

const internalLanguageOid = 12;

export const languages = [
	{ oid: internalLanguageOid, name: "internal", trusted: false, comment: "built-in functions" },
	{ oid: 13, name: "c", trusted: false, comment: "dynamically-loaded C functions" },
	{ oid: 14, name: "sql", trusted: true, comment: "SQL-language functions" },
];

export const languageRows = (): SystemRow[] =>
	languages.map(({ oid, name: lanname, trusted: lanpltrusted }) => ({
		oid,
		lanname,
		lanpltrusted,
		lanowner: ownerOid,
		lanispl: false,
	}));

export const accessMethodRows = (): SystemRow[] => [
	{ oid: 2, amname: "heap", amtype: "t" },
	{ oid: btreeOid, amname: "btree", amtype: "i" },
];

export const collationRows = (): SystemRow[] =>
	Object.entries(collationOids).map(([collname, oid]) => {
		const locale = collname === "ucs_basic" ? "C" : collname;
		return {
			oid,
			collname,
			collnamespace: pgCatalogOid,
			collowner: ownerOid,
			collprovider: collname === "default" ? "d" : "c",
			collisdeterministic: true,
			collencoding: collname === "ucs_basic" ? utf8Encoding : -1,
			...(collname === "default" ? {} : { collcollate: locale, collctype: locale }),
		};
	});
