/**
 * pg_operator, pg_cast, and btree's operators by type: what PostgreSQL has, as far as it is here. Operators and casts have no functions
 * behind them that pg_proc could list, and btree no support functions: oprcode is 0, and pg_amproc empty.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { operatorCandidates } from "../functions/table.ts";
import type { SqlType } from "../types/datum.ts";
import { isEnum, isRow } from "../types/made-oids.ts";
import { findCast, formatType, typeByOid } from "../types/registry.ts";
import { pgCatalogOid } from "./schema.ts";
import { btreeOid, ownerOid } from "./system-names.ts";
import {
	castData,
	familyOperatorData,
	operatorClassData,
	operatorData,
	operatorFamilyData,
} from "./system-operator-data.ts";
import type { SystemRow } from "./system-table.ts";
import { procedures } from "./system-types.ts";

const linesOf = (data: string): readonly (readonly string[])[] =>
	data
		.trim()
		.split("\n")
		.map((line) => line.split(" "));

export interface Operator {
	readonly oid: number;
	readonly name: string;
	/** 0: there is none, it stands before its operand. */
	readonly left: number;
	readonly right: number;
	readonly result: number;
	readonly description: string;
	readonly row: SystemRow;
}

const isHere = (name: string, args: readonly number[]): boolean =>
	operatorCandidates(name, args.length === 1 ? 1 : 2).some((candidate) =>
		candidate.args.every((arg, i) => arg === args[i]),
	);

export const operators: readonly Operator[] = linesOf(operatorData).flatMap((fields) => {
	const [name = "", flags = "", ...words] = [fields[1], fields[7], ...fields.slice(8)];
	const [oid = 0, left = 0, right = 0, result = 0, oprcom = 0, oprnegate = 0] = [
		fields[0],
		...fields.slice(2, 7),
	].map(Number);
	if (!isHere(name, left === 0 ? [right] : [left, right])) return [];
	const row = {
		oid,
		oprname: name,
		oprnamespace: pgCatalogOid,
		oprowner: ownerOid,
		oprkind: left === 0 ? "l" : "b",
		oprcanmerge: flags.includes("m"),
		oprcanhash: flags.includes("h"),
		oprleft: left,
		oprright: right,
		oprresult: result,
		oprcom,
		oprnegate,
	};
	return { oid, name, left, right, result, description: words.join(" "), row };
});

const byOid = new Map(operators.map((operator) => [operator.oid, operator]));

export const operatorByOid = (oid: number): Operator | undefined => byOid.get(oid);

export const operatorRows = (): SystemRow[] => operators.map(({ row }) => row);

interface OperatorClass {
	readonly oid: number;
	readonly family: number;
	readonly name: string;
	readonly type: number;
	readonly isDefault: boolean;
}

const operatorClasses: readonly OperatorClass[] = linesOf(operatorClassData).map(
	([oid, family, name = "", type, isDefault]) => ({
		oid: Number(oid),
		family: Number(family),
		name,
		type: Number(type),
		isDefault: isDefault === "d",
	}),
);

/** Types that share a class: varchar is indexed as text, an array of anything as anyarray. */
function classType(typeOid: number): number {
	if (typeOid === 1043) return 25;
	if (isEnum(typeOid)) return 3500;
	if (isRow(typeOid)) return 2249;
	return typeByOid(typeOid)?.category === "A" ? 2277 : typeOid;
}

const defaultClass = (type: number): OperatorClass | undefined =>
	operatorClasses.find((one) => one.isDefault && one.type === type);

/** 0: it has none. */
export const operatorClassOid = (typeOid: number, name?: string): number =>
	operatorClasses.find((one) => one.name === name)?.oid ??
	(defaultClass(typeOid) ?? defaultClass(classType(typeOid)))?.oid ??
	0;

/** One by its name that a type may be indexed with. Throws 42704, 42804. */
export function namedOperatorClass(name: string, type: SqlType): OperatorClass {
	const found = operatorClasses.find((one) => one.name === name);
	if (found === undefined) {
		throw new DatabaseError(
			"42704",
			`operator class "${name}" does not exist for access method "btree"`,
		);
	}
	if (found.type === type.oid || found.type === classType(type.oid)) return found;
	throw new DatabaseError(
		"42804",
		`operator class "${name}" does not accept data type ${formatType(type)}`,
	);
}

export const isOperatorClass = (oid: number): boolean =>
	operatorClasses.some((one) => one.oid === oid);

export const operatorClassRows = (): SystemRow[] =>
	operatorClasses.map(({ oid, family, name, type, isDefault }) => ({
		oid,
		opcmethod: btreeOid,
		opcname: name,
		opcnamespace: pgCatalogOid,
		opcowner: ownerOid,
		opcfamily: family,
		opcintype: type,
		opcdefault: isDefault,
	}));

const families = linesOf(operatorFamilyData).map(([oid, name = ""]) => ({
	oid: Number(oid),
	name,
}));

export const isOperatorFamily = (oid: number): boolean => families.some((one) => one.oid === oid);

export const operatorFamilyRows = (): SystemRow[] =>
	families.map(({ oid, name }) => ({
		oid,
		opfmethod: btreeOid,
		opfname: name,
		opfnamespace: pgCatalogOid,
		opfowner: ownerOid,
	}));

export const familyOperatorRows = (): SystemRow[] =>
	linesOf(familyOperatorData).flatMap((fields) => {
		const [first = 0, family = 0, left = 0, right = 0, ...strategies] = fields.map(Number);
		return strategies.flatMap((operator, i) =>
			byOid.has(operator)
				? {
						oid: first + i,
						amopfamily: family,
						amoplefttype: left,
						amoprighttype: right,
						amopstrategy: i + 1,
						amoppurpose: "s",
						amopopr: operator,
						amopmethod: btreeOid,
					}
				: [],
		);
	});

/** The function of that name of one type; 0 if there is none: the cast is done without. */
const castFunction = (name: string, source: number): number =>
	procedures.find((one) => one.name === name && one.args[0] === source)?.oid ?? 0;

export const castRows = (): SystemRow[] =>
	linesOf(castData).flatMap(([oid, from, to, castcontext = "", castmethod = "", name = ""]) => {
		const [castsource, casttarget] = [Number(from), Number(to)];
		// A length is not a cast here, but a part of any.
		if (castsource !== casttarget && findCast(castsource, casttarget) === undefined) return [];
		const castfunc = castFunction(name, castsource);
		return { oid: Number(oid), castsource, casttarget, castfunc, castcontext, castmethod };
	});
