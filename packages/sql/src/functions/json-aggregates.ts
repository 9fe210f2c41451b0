/** json_agg, json_object_agg and the same of jsonb. */
import { invalidParameter } from "../types/errors.ts";
import { type Json, jsonb, jsonObject, quoteJson } from "../types/json-value.ts";
import type { AggregateFunction, TypeContext } from "../types/registry.ts";
import { builtinType } from "../types/type-table.ts";
import { signature } from "./definition.ts";
import { jsonKey, jsonText, jsonTree } from "./json-build.ts";

type Accumulator = ReturnType<AggregateFunction["create"]>;
type Create = AggregateFunction["create"];

const aggregate = (text: string, create: Create): AggregateFunction => {
	const { name, args, result } = signature(text);
	return { name, args, result, create, strict: false, keeps: true };
};

const isBlock = (oid: number): boolean => {
	const type = builtinType(oid);
	return type?.category === "A" || type?.category === "C" || oid === 2249;
};

/** Arrays and rows stand on lines of their own. */
const arrayText: Create = (types): Accumulator => {
	const oid = types[0]?.oid ?? 0;
	const items: string[] = [];
	return {
		step([value], context) {
			items.push(jsonText(value!, oid, context));
		},
		result: () => (items.length === 0 ? null : `[${items.join(isBlock(oid) ? ", \n " : ", ")}]`),
	};
};

const arrayTree: Create = (types): Accumulator => {
	const items: Json[] = [];
	return {
		step([value], context) {
			items.push(jsonTree(value!, types[0]?.oid ?? 0, context));
		},
		// A copy: a window asks again when more has come.
		result: () => (items.length === 0 ? null : jsonb([...items])),
	};
};

const objectOf =
	<T>(
		convert: (value: Parameters<typeof jsonText>[0], oid: number, context: TypeContext) => T,
		finish: (pairs: readonly (readonly [string, T])[]) => ReturnType<Accumulator["result"]>,
	): Create =>
	(types): Accumulator => {
		const pairs: [string, T][] = [];
		const [keyOid = 0, valueOid = 0] = types.map(({ oid }) => oid);
		return {
			step([key, value], context) {
				if (key === null) throw invalidParameter("field name must not be null");
				pairs.push([jsonKey(key!, keyOid, context), convert(value!, valueOid, context)]);
			},
			result: () => (pairs.length === 0 ? null : finish(pairs)),
		};
	};

const objectText = objectOf(
	jsonText,
	(pairs) => `{ ${pairs.map(([key, value]) => `${quoteJson(key)} : ${value}`).join(", ")} }`,
);
const objectTree = objectOf<Json>(jsonTree, (pairs) => jsonb(jsonObject(pairs)));

export const jsonAggregates: readonly AggregateFunction[] = [
	aggregate("json_agg(anyelement) -> json", arrayText),
	aggregate("jsonb_agg(anyelement) -> jsonb", arrayTree),
	aggregate("json_object_agg(any, any) -> json", objectText),
	aggregate("jsonb_object_agg(any, any) -> jsonb", objectTree),
];
