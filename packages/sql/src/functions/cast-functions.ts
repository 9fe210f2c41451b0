/** Casts written as calls: int4(x), date(x), text(x). PostgreSQL has these functions behind pg_cast. */

import { findCast } from "../types/casts.ts";
import type { Datum } from "../types/datum.ts";
import type { CastDefinition, ScalarFunction } from "../types/registry.ts";
import { contextual, oidOf } from "./definition.ts";

const pairs: Readonly<Record<string, readonly string[]>> = {
	int2: ["int4", "int8", "float4", "float8", "numeric"],
	int4: ["int2", "int8", "float4", "float8", "numeric", "bool", "char"],
	int8: ["int2", "int4", "float4", "float8", "numeric", "oid"],
	float4: ["int2", "int4", "int8", "float8", "numeric"],
	float8: ["int2", "int4", "int8", "float4", "numeric"],
	numeric: ["int2", "int4", "int8", "float4", "float8"],
	bool: ["int4"],
	text: ["bool", "bpchar", "name", "char"],
	varchar: ["name"],
	bpchar: ["name", "char"],
	name: ["text", "varchar", "bpchar"],
	char: ["int4", "text"],
	oid: ["int8"],
	date: ["timestamp", "timestamptz"],
	time: ["timestamp", "timestamptz", "timetz", "interval"],
	timetz: ["time", "timestamptz"],
	timestamp: ["date", "timestamptz"],
	timestamptz: ["date", "timestamp"],
	interval: ["time"],
	regclass: ["text"],
};

export const castFunctions: readonly ScalarFunction[] = Object.entries(pairs).flatMap(
	([to, sources]) =>
		sources.map((from) => {
			const target = { oid: oidOf(to), modifier: -1 };
			const cast = findCast(oidOf(from), target.oid) as CastDefinition;
			const sessionDependent =
				from === "timestamptz" || ["timestamptz", "timetz", "regclass"].includes(to);
			const volatility = sessionDependent ? "stable" : "immutable";
			return contextual(`${to}(${from}) -> ${to}`, { volatility }, ([value], context) =>
				cast.apply(value as Datum, target, context),
			);
		}),
);
