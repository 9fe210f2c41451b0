/**
 * Which function or operator a call means (manual, sections 10.2 and 10.3, after parse_func.c and parse_oper.c), and what
 * types its arguments take. Types: 705 is an untyped literal, 0 a parameter without a type yet; both can become anything.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { findCast } from "./casts.ts";
import { selectCommonType } from "./common-type.ts";
import { OID } from "./oids.ts";
import { builtinType, formatType } from "./type-table.ts";

export const isUnknown = (oid: number): boolean => oid === OID.unknown || oid === 0;

const elementLike: ReadonlySet<number> = new Set([OID.anyelement, OID.anynonarray, OID.anyenum]);
const compatible: ReadonlySet<number> = new Set([
	OID.anycompatible,
	OID.anycompatiblearray,
	OID.anycompatiblenonarray,
]);

export const isPolymorphic = (oid: number): boolean =>
	oid === OID.anyarray || elementLike.has(oid) || compatible.has(oid);

interface Candidate {
	readonly args: readonly number[];
	readonly variadic?: boolean;
	readonly optional?: number;
	readonly result?: number;
	readonly columns?: readonly { readonly oid: number }[];
}

export interface Resolution<T> {
	readonly chosen: T;
	/** What each argument has to be cast to. */
	readonly argTypes: readonly number[];
	readonly resultType: number;
	/** What a type of its result stands for. */
	typeOf(oid: number): number;
}

/** A candidate with its arguments repeated to the length of the call. */
interface Expanded<T> {
	readonly candidate: T;
	readonly args: readonly number[];
}

export function resolve<T extends { readonly args: readonly number[] }>(
	what: "function" | "operator",
	name: string,
	candidates: readonly T[],
	argTypes: readonly number[],
	at: number,
): Resolution<T> {
	const all: Expanded<T>[] = [];
	for (const candidate of candidates) {
		const args = expand(candidate, argTypes.length);
		if (args !== undefined) {
			all.push({ candidate, args });
		}
	}
	const chosen = exact(all, what, argTypes) ?? select(all, argTypes);
	if (chosen === undefined || chosen === "ambiguous") {
		throw failure(what, name, argTypes, at, chosen === "ambiguous");
	}
	return settle(chosen, argTypes);
}

function expand(candidate: Candidate, count: number): readonly number[] | undefined {
	const { args } = candidate;
	if (args.length === count) {
		return args;
	}
	if (candidate.variadic && count > args.length) {
		const last = args.at(-1) as number;
		return [...args, ...new Array<number>(count - args.length).fill(last)];
	}
	return count < args.length && args.length - (candidate.optional ?? 0) <= count
		? args.slice(0, count)
		: undefined;
}

/** An exact match of all types; for operators also with an unknown side taken as the other. */
function exact<T>(
	all: readonly Expanded<T>[],
	what: "function" | "operator",
	argTypes: readonly number[],
): Expanded<T> | undefined {
	let wanted = argTypes;
	if (what === "operator" && argTypes.length === 2) {
		const [left, right] = argTypes as [number, number];
		if (isUnknown(left) !== isUnknown(right)) {
			wanted = isUnknown(left) ? [right, right] : [left, left];
		}
	}
	if (wanted.some(isUnknown)) {
		return undefined;
	}
	return all.find(({ args }) => args.every((arg, i) => arg === wanted[i]));
}

/** True if every argument can become what the candidate wants, implicitly. */
function fits(args: readonly number[], argTypes: readonly number[]): boolean {
	let polymorphic = false;
	for (let i = 0; i < args.length; i++) {
		const from = argTypes[i] as number;
		const to = args[i] as number;
		if (isPolymorphic(to)) {
			polymorphic = true;
		} else if (!canBecome(from, to)) {
			return false;
		}
	}
	return !polymorphic || bindPolymorphic(args, argTypes) !== undefined;
}

function canBecome(from: number, to: number): boolean {
	return (
		from === to || isUnknown(from) || to === OID.any || findCast(from, to)?.context === "implicit"
	);
}

/** func_select_candidate. */
function select<T>(
	all: readonly Expanded<T>[],
	argTypes: readonly number[],
): Expanded<T> | "ambiguous" | undefined {
	let left = all.filter(({ args }) => fits(args, argTypes));
	if (left.length <= 1) {
		return left[0];
	}
	left = best(left, ({ args }) => count(args, (arg, i) => arg === argTypes[i]));
	if (left.length === 1) {
		return left[0];
	}
	left = best(left, ({ args }) =>
		count(args, (arg, i) => {
			const from = argTypes[i] as number;
			return arg === from || (!isUnknown(from) && isPreferred(arg, category(from)));
		}),
	);
	if (left.length === 1) {
		return left[0];
	}
	if (!argTypes.some(isUnknown)) {
		return "ambiguous";
	}
	left = byUnknowns(left, argTypes);
	return left.length === 1 ? left[0] : (assumeSameType(left, argTypes) ?? "ambiguous");
}

function best<T>(all: Expanded<T>[], score: (candidate: Expanded<T>) => number): Expanded<T>[] {
	const scores = all.map(score);
	const top = Math.max(...scores);
	return all.filter((_, i) => scores[i] === top);
}

function count(args: readonly number[], test: (arg: number, i: number) => boolean): number {
	return args.reduce((n, arg, i) => n + (test(arg, i) ? 1 : 0), 0);
}

const category = (oid: number): string => builtinType(oid)?.category ?? "U";
const isPreferred = (oid: number, ofCategory: string): boolean => {
	const type = builtinType(oid);
	return type?.preferred === true && type.category === ofCategory;
};

/** Unknown arguments take the string category if any candidate does, else the one that all agree on. */
function byUnknowns<T>(all: Expanded<T>[], argTypes: readonly number[]): Expanded<T>[] {
	const wanted: { category: string; preferred: boolean }[] = [];
	for (let i = 0; i < argTypes.length; i++) {
		if (!isUnknown(argTypes[i] as number)) {
			wanted.push({ category: "", preferred: false });
			continue;
		}
		const categories = new Set(all.map(({ args }) => category(args[i] as number)));
		if (!categories.has("S") && categories.size > 1) {
			return all;
		}
		const chosen = categories.has("S") ? "S" : ([...categories][0] as string);
		const preferred = all.some(({ args }) => isPreferred(args[i] as number, chosen));
		wanted.push({ category: chosen, preferred });
	}
	const kept = all.filter(({ args }) =>
		args.every((arg, i) => {
			const want = wanted[i];
			if (want === undefined || want.category === "") {
				return true;
			}
			return (
				category(arg) === want.category && (!want.preferred || isPreferred(arg, want.category))
			);
		}),
	);
	return kept.length > 0 ? kept : all;
}

/** Where all known arguments have one type, the unknown ones are taken to have it too. */
function assumeSameType<T>(
	all: readonly Expanded<T>[],
	argTypes: readonly number[],
): Expanded<T> | undefined {
	const known = new Set(argTypes.filter((t) => !isUnknown(t)));
	if (known.size !== 1) {
		return undefined;
	}
	const [type] = [...known] as [number];
	const assumed = argTypes.map(() => type);
	const matching = all.filter(({ args }) => fits(args, assumed));
	return matching.length === 1 ? matching[0] : undefined;
}

interface Binding {
	readonly element: number;
	readonly array: number;
	readonly common: number;
}

/** What anyelement and anycompatible stand for; undefined if the arguments do not agree. */
function bindPolymorphic(
	args: readonly number[],
	argTypes: readonly number[],
): Binding | undefined {
	let element = 0;
	const commons: number[] = [];
	for (let i = 0; i < args.length; i++) {
		const want = args[i] as number;
		const from = argTypes[i] as number;
		if (!isPolymorphic(want) || isUnknown(from)) {
			if (compatible.has(want)) {
				commons.push(from);
			}
			continue;
		}
		const isArrayArgument = want === OID.anyarray || want === OID.anycompatiblearray;
		const bound = isArrayArgument ? elementOf(from) : from;
		const isRefused =
			(isNonArray(want) && elementOf(from) !== 0) ||
			(want === OID.anyenum && category(from) !== "E");
		if (bound === 0 || isRefused) {
			return undefined;
		}
		if (compatible.has(want)) {
			commons.push(bound);
		} else if (element !== 0 && element !== bound) {
			return undefined;
		} else {
			element = bound;
		}
	}
	// A literal alone is no enum.
	if (element === 0 && args.includes(OID.anyenum)) return undefined;
	const common = commons.length === 0 ? 0 : selectCommonType(commons);
	if (common === undefined) {
		return undefined;
	}
	return { element, array: builtinType(element)?.arrayOid ?? 0, common };
}

const isNonArray = (oid: number): boolean =>
	oid === OID.anynonarray || oid === OID.anycompatiblenonarray;

/** Element type of a true array; "char"[]-like name is none. */
function elementOf(oid: number): number {
	const type = builtinType(oid);
	return type?.category === "A" || oid === OID.recordArray ? (type?.elementOid ?? 0) : 0;
}

function settle<T>(chosen: Expanded<T>, argTypes: readonly number[]): Resolution<T> {
	const candidate = chosen.candidate as T & Candidate;
	const result = candidate.result ?? candidate.columns?.[0]?.oid ?? 0;
	if (!chosen.args.some((arg) => isPolymorphic(arg) || arg === OID.any)) {
		return { chosen: candidate, argTypes: chosen.args, resultType: result, typeOf: (oid) => oid };
	}
	const binding = bindPolymorphic(chosen.args, argTypes) ?? { element: 0, array: 0, common: 0 };
	if (
		binding.element === 0 &&
		chosen.args.some((arg) => arg === OID.anyarray || elementLike.has(arg))
	) {
		throw new DatabaseError(
			"42804",
			"could not determine polymorphic type because input has type unknown",
		);
	}
	const { element } = binding;
	const concrete = (oid: number, from: number): number => {
		if (oid === OID.any) {
			return from === 0 ? OID.text : from;
		}
		if (oid === OID.anyarray) {
			return isUnknown(from) ? (builtinType(element)?.arrayOid ?? 0) : from;
		}
		if (oid === OID.anycompatiblearray) {
			return builtinType(binding.common)?.arrayOid ?? 0;
		}
		if (elementLike.has(oid)) {
			return element;
		}
		return compatible.has(oid) ? binding.common : oid;
	};
	const typeOf = (oid: number): number => concrete(oid, argTypes[chosen.args.indexOf(oid)] ?? 0);
	return {
		chosen: candidate,
		argTypes: chosen.args.map((arg, i) => concrete(arg, argTypes[i] as number)),
		resultType: typeOf(result),
		typeOf,
	};
}

const typeName = (oid: number): string =>
	isUnknown(oid) ? "unknown" : formatType({ oid, modifier: -1 });

function failure(
	what: "function" | "operator",
	name: string,
	argTypes: readonly number[],
	at: number,
	ambiguous: boolean,
): DatabaseError {
	const names = argTypes.map(typeName);
	const signature =
		what === "function"
			? `${name}(${names.join(", ")})`
			: names.length === 1
				? `${name} ${names[0]}`
				: `${names[0]} ${name} ${names[1]}`;
	const message = (trouble: string): string =>
		what === "function" ? `function ${signature} ${trouble}` : `operator ${trouble}: ${signature}`;
	const choose = what === "function" ? "function" : "operator";
	const arguments_ = what === "operator" && names.length === 1 ? "type" : "types";
	return ambiguous
		? new DatabaseError("42725", message("is not unique"), {
				hint: `Could not choose a best candidate ${choose}. You might need to add explicit type casts.`,
				position: at + 1,
			})
		: new DatabaseError("42883", message("does not exist"), {
				hint: `No ${choose} matches the given name and argument ${arguments_}. You might need to add ${arguments_ === "type" ? "an explicit type cast" : "explicit type casts"}.`,
				position: at + 1,
			});
}
