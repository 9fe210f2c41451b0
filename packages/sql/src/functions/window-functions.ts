/** Functions that are called with OVER only. Aggregates may be as well: the executor runs those over the frame. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "../types/datum.ts";
import type { WindowFunction, WindowPartition } from "../types/registry.ts";
import { signature } from "./definition.ts";

function windowed(
	text: string,
	value: (partition: WindowPartition, row: number) => Datum,
	optional = 0,
): WindowFunction {
	const { name, args, result } = signature(text);
	return { name, args, result, optional, value };
}

const rankOf = (partition: WindowPartition, row: number): number => partition.peersOf(row)[0] + 1;

/** Sizes of buckets differ by one at most, the larger ones first. */
function bucketOf(partition: WindowPartition, row: number): Datum {
	const count = partition.args[0]![0]!;
	if (count === null) return null;
	const buckets = count as number;
	if (buckets <= 0) {
		throw new DatabaseError("22014", "argument of ntile must be greater than zero");
	}
	const size = Math.floor(partition.size / buckets);
	const larger = partition.size % buckets;
	const inLarger = larger * (size + 1);
	return row < inLarger
		? Math.floor(row / (size + 1)) + 1
		: larger + Math.floor((row - inLarger) / Math.max(1, size)) + 1;
}

/** The value some rows away; what is not there is the third argument. */
const shifted =
	(direction: 1 | -1) =>
	(partition: WindowPartition, row: number): Datum => {
		const [, offset = 1, otherwise = null] = partition.args[row]!;
		if (offset === null) return null;
		const target = row + direction * (offset as number);
		return target >= 0 && target < partition.size ? partition.args[target]![0]! : otherwise;
	};

const shifts = (["lag", "lead"] as const).flatMap((name) => {
	const value = shifted(name === "lag" ? -1 : 1);
	return [
		windowed(`${name}(anyelement, int4) -> anyelement`, value, 1),
		windowed(`${name}(anycompatible, int4, anycompatible) -> anycompatible`, value),
	];
});

function firstValue(partition: WindowPartition, row: number): Datum {
	const part = partition.frameOf(row)[0];
	return part === undefined ? null : partition.args[part[0]]![0]!;
}

function lastValue(partition: WindowPartition, row: number): Datum {
	const part = partition.frameOf(row).at(-1);
	return part === undefined ? null : partition.args[part[1] - 1]![0]!;
}

function nthValue(partition: WindowPartition, row: number): Datum {
	const wanted = partition.args[row]![1]!;
	if (wanted === null) return null;
	if ((wanted as number) <= 0) {
		throw new DatabaseError("22016", "argument of nth_value must be greater than zero");
	}
	let left = (wanted as number) - 1;
	for (const [from, to] of partition.frameOf(row)) {
		if (left < to - from) return partition.args[from + left]![0]!;
		left -= to - from;
	}
	return null;
}

export const windowFunctions: readonly WindowFunction[] = [
	windowed("row_number() -> int8", (_, row) => BigInt(row + 1)),
	windowed("rank() -> int8", (partition, row) => BigInt(rankOf(partition, row))),
	windowed("dense_rank() -> int8", (partition, row) => BigInt(partition.peersBefore(row) + 1)),
	windowed("percent_rank() -> float8", (partition, row) =>
		partition.size === 1 ? 0 : (rankOf(partition, row) - 1) / (partition.size - 1),
	),
	windowed("cume_dist() -> float8", (partition, row) => partition.peersOf(row)[1] / partition.size),
	windowed("ntile(int4) -> int4", bucketOf),
	...shifts,
	windowed("first_value(anyelement) -> anyelement", firstValue),
	windowed("last_value(anyelement) -> anyelement", lastValue),
	windowed("nth_value(anyelement, int4) -> anyelement", nthValue),
];
