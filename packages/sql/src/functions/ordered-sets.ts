/** Aggregates with WITHIN GROUP: percentiles, the most frequent value, and where a row would stand among others. */
import { DatabaseError } from "@quorate/keys/database-error";
import { isArray, mapArray } from "../types/array-values.ts";
import type { Datum, Interval, SqlType } from "../types/datum.ts";
import { addIntervals, multiplyInterval, negateInterval } from "../types/interval-values.ts";
import type { AggregateFunction, OrderedSetFunction } from "../types/registry.ts";
import { builtinType } from "../types/type-table.ts";
import { signature } from "./definition.ts";

type Create = AggregateFunction["create"];
type Order = NonNullable<Parameters<Create>[1]>;

function orderedSet(
	text: string,
	direct: OrderedSetFunction["direct"],
	create: Create,
): OrderedSetFunction {
	const { name, args, result } = signature(text);
	return { name, args, result, direct, create, strict: false };
}

/** Values that are not NULL, in order, and the fraction; `pick` finds what stands at a fraction. */
function percentile(pick: (values: readonly Datum[], fraction: number) => Datum): Create {
	return () => {
		const values: Datum[] = [];
		let wanted: Datum = null;
		return {
			step([fraction, value]) {
				wanted = fraction as Datum;
				if (value !== null) values.push(value as Datum);
			},
			result() {
				if (values.length === 0 || wanted === null) return null;
				const at = (fraction: Datum): Datum =>
					fraction === null ? null : pick(values, checked(fraction as number));
				return isArray(wanted) ? mapArray(wanted, at) : at(wanted);
			},
		};
	};
}

function checked(fraction: number): number {
	if (fraction >= 0 && fraction <= 1) return fraction;
	throw new DatabaseError("22003", `percentile value ${fraction} is not between 0 and 1`);
}

const discrete = percentile(
	(values, fraction) => values[Math.max(1, Math.ceil(fraction * values.length)) - 1]!,
);

const continuous = (between: (low: never, high: never, share: number) => Datum): Create =>
	percentile((values, fraction) => {
		const place = fraction * (values.length - 1);
		const low = values[Math.floor(place)]!;
		const high = values[Math.ceil(place)]!;
		return between(low as never, high as never, place - Math.floor(place));
	});

const numbersBetween = continuous((low: number, high: number, share) =>
	low === high ? low : low + share * (high - low),
);

const intervalsBetween = continuous((low: Interval, high: Interval, share) =>
	addIntervals(low, multiplyInterval(addIntervals(high, negateInterval(low)), share)),
);

/** Of values that are as frequent the first. */
const mode: Create = (argTypes) => {
	const compare = comparer(argTypes[0]!);
	let [best, bestCount, current, count] = [null as Datum, 0, null as Datum, 0];
	return {
		step([value]) {
			if (value === null || value === undefined) return;
			count = count > 0 && compare(current, value) === 0 ? count + 1 : 1;
			current = count === 1 ? value : current;
			if (count > bestCount) [best, bestCount] = [current, count];
		},
		result: () => best,
	};
};

const comparer = (type: SqlType): ((a: Datum, b: Datum) => number) =>
	builtinType(type.oid)?.compare as (a: Datum, b: Datum) => number;

/** Rows that stand before the hypothetical one, those that are equal to it, and how many different ones come before. */
interface Standing {
	readonly before: number;
	readonly equal: number;
	readonly distinctBefore: number;
	readonly rows: number;
}

const hypothetical =
	(result: (standing: Standing) => Datum): Create =>
	(argTypes, order) => {
		const keys = order!;
		const compares = argTypes.slice(keys.length).map(comparer);
		let [before, equal, distinctBefore, rows] = [0, 0, 0, 0];
		let last: readonly Datum[] | undefined;
		return {
			step(args) {
				const row = args.slice(keys.length);
				const place = compareRows(row, args, keys, compares);
				rows++;
				if (place === 0) equal++;
				if (place >= 0) return;
				before++;
				if (last === undefined || compareRows(last, row, keys, compares) !== 0) distinctBefore++;
				last = row;
			},
			result: () => result({ before, equal, distinctBefore, rows }),
		};
	};

function compareRows(
	a: readonly Datum[],
	b: readonly Datum[],
	keys: Order,
	compares: readonly ((a: Datum, b: Datum) => number)[],
): number {
	for (const [i, { descending, nullsFirst }] of keys.entries()) {
		const [x, y] = [a[i]!, b[i]!];
		if (x === null || y === null) {
			if (x !== y) return (x === null) === nullsFirst ? -1 : 1;
			continue;
		}
		const order = compares[i]!(x, y);
		if (order !== 0) return descending ? -order : order;
	}
	return 0;
}

export const orderedSetFunctions: readonly OrderedSetFunction[] = [
	orderedSet("percentile_cont(float8, float8) -> float8", 1, numbersBetween),
	orderedSet("percentile_cont(float8, interval) -> interval", 1, intervalsBetween),
	orderedSet("percentile_cont(_float8, float8) -> _float8", 1, numbersBetween),
	orderedSet("percentile_cont(_float8, interval) -> _interval", 1, intervalsBetween),
	orderedSet("percentile_disc(float8, anyelement) -> anyelement", 1, discrete),
	orderedSet("percentile_disc(_float8, anyelement) -> anyarray", 1, discrete),
	orderedSet("mode(anyelement) -> anyelement", 0, mode),
	orderedSet(
		"rank(any) -> int8",
		"hypothetical",
		hypothetical(({ before }) => BigInt(before + 1)),
	),
	orderedSet(
		"dense_rank(any) -> int8",
		"hypothetical",
		hypothetical(({ distinctBefore }) => BigInt(distinctBefore + 1)),
	),
	orderedSet(
		"percent_rank(any) -> float8",
		"hypothetical",
		hypothetical(({ before, rows }) => (rows === 0 ? 0 : before / rows)),
	),
	orderedSet(
		"cume_dist(any) -> float8",
		"hypothetical",
		hypothetical(({ before, equal, rows }) => (before + equal + 1) / (rows + 1)),
	),
];
