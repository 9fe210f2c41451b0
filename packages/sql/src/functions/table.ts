/** All functions by name. Operators are functions named by their symbol, with one or two arguments. */
import type {
	AggregateFunction,
	OrderedSetFunction,
	ScalarFunction,
	SetFunction,
	WindowFunction,
} from "../types/registry.ts";
import { aclSet } from "./acl-set.ts";
import { aggregateFunctions } from "./aggregates.ts";
import { arrayFunctions } from "./array-functions.ts";
import { byteaFunctions } from "./bytea-functions.ts";
import { castFunctions } from "./cast-functions.ts";
import { catalogFunctions } from "./catalog-functions.ts";
import { comparisonFunctions } from "./comparison-functions.ts";
import { dateArithmetic } from "./date-arithmetic.ts";
import { dateExtraction } from "./date-extract.ts";
import { dateFunctions } from "./date-functions.ts";
import { dateSpans } from "./date-spans.ts";
import { enumFunctions } from "./enum-functions.ts";
import { angleFunctions } from "./float-angles.ts";
import { floatFunctions } from "./float-functions.ts";
import { fromCharFunctions } from "./from-char.ts";
import { hashFunctions } from "./hash-functions.ts";
import { integerFunctions } from "./integer-functions.ts";
import { jsonAccess, jsonSets } from "./json-access.ts";
import { jsonAggregates } from "./json-aggregates.ts";
import { jsonBuilders } from "./json-build.ts";
import { jsonChanges } from "./json-change.ts";
import { jsonPopulate, jsonPopulateSets, jsonRecords } from "./json-records.ts";
import { jsonpathFunctions, jsonpathSets } from "./jsonpath/functions.ts";
import { keywordSet } from "./keyword-set.ts";
import { moreText } from "./more-text.ts";
import { numericFunctions } from "./numeric-functions.ts";
import { orderedSetFunctions } from "./ordered-sets.ts";
import { quotingFunctions } from "./quoting-functions.ts";
import { regularExpressionFunctions, regularExpressionSets } from "./regular-expressions.ts";
import { sessionFunctions } from "./session-functions.ts";
import { setFunctions as seriesFunctions } from "./set-functions.ts";
import { textFunctions } from "./text-functions.ts";
import { timetzFunctions } from "./timetz-functions.ts";
import { dateToChar } from "./to-char-date.ts";
import { numberToChar } from "./to-char-number.ts";
import { toNumberFunctions } from "./to-number.ts";
import { uuidFunctions } from "./uuid-functions.ts";
import { windowFunctions } from "./window-functions.ts";
import { zoneAbbreviationSet, zoneNameSet } from "./zone-sets.ts";

const scalars: readonly ScalarFunction[] = [
	...comparisonFunctions,
	...integerFunctions,
	...floatFunctions,
	...angleFunctions,
	...numericFunctions,
	...textFunctions,
	...moreText,
	...hashFunctions,
	...quotingFunctions,
	...regularExpressionFunctions,
	...byteaFunctions,
	...timetzFunctions,
	...uuidFunctions,
	...dateArithmetic,
	...dateExtraction,
	...dateFunctions,
	...dateSpans,
	...dateToChar,
	...fromCharFunctions,
	...numberToChar,
	...toNumberFunctions,
	...arrayFunctions,
	...sessionFunctions,
	...catalogFunctions,
	...enumFunctions,
	...castFunctions,
	...jsonAccess,
	...jsonChanges,
	...jsonBuilders,
	...jsonPopulate,
	...jsonpathFunctions,
];

const setFunctions: readonly SetFunction[] = [
	...seriesFunctions,
	...regularExpressionSets,
	...jsonSets,
	...jsonRecords,
	...jsonPopulateSets,
	...jsonpathSets,
	aclSet,
	keywordSet,
	zoneNameSet,
	zoneAbbreviationSet,
];

function byName<T extends { readonly name: string }>(all: readonly T[]): ReadonlyMap<string, T[]> {
	const map = new Map<string, T[]>();
	for (const one of all) {
		const list = map.get(one.name);
		if (list === undefined) {
			map.set(one.name, [one]);
		} else {
			list.push(one);
		}
	}
	return map;
}

const isSymbol = /^[+\-*/<>=~!@#%^&|`?]+$/;
const functions = byName(scalars.filter((f) => !isSymbol.test(f.name)));
const unary = byName(scalars.filter((f) => isSymbol.test(f.name) && f.args.length === 1));
const binary = byName(scalars.filter((f) => isSymbol.test(f.name) && f.args.length === 2));
const plainAggregates: readonly AggregateFunction[] = [...aggregateFunctions, ...jsonAggregates];
const aggregates = byName(plainAggregates);
const orderedSets = byName(orderedSetFunctions);
const sets = byName(setFunctions);
const windows = byName(windowFunctions);

const none: readonly never[] = [];

export function scalarCandidates(name: string): readonly ScalarFunction[] {
	return functions.get(name) ?? none;
}

export function operatorCandidates(symbol: string, arity: 1 | 2): readonly ScalarFunction[] {
	const name = symbol === "!=" ? "<>" : symbol;
	return (arity === 1 ? unary : binary).get(name) ?? none;
}

export function aggregateCandidates(name: string): readonly AggregateFunction[] {
	return aggregates.get(name) ?? none;
}

export function orderedSetCandidates(name: string): readonly OrderedSetFunction[] {
	return orderedSets.get(name) ?? none;
}

export function setCandidates(name: string): readonly SetFunction[] {
	return sets.get(name) ?? none;
}

export function windowCandidates(name: string): readonly WindowFunction[] {
	return windows.get(name) ?? none;
}

/** Everything that pg_proc lists: functions in a fixed order. */
export function allFunctions(): {
	readonly scalar: readonly ScalarFunction[];
	readonly aggregate: readonly AggregateFunction[];
	readonly set: readonly SetFunction[];
	readonly window: readonly WindowFunction[];
} {
	return {
		scalar: scalars.filter((f) => !isSymbol.test(f.name)),
		aggregate: [...plainAggregates, ...orderedSetFunctions],
		set: setFunctions,
		window: windowFunctions,
	};
}
