/** jsonb_path_exists and its kin, and the operators @? and @@. */
import type { Datum } from "../../types/datum.ts";
import { invalidParameter } from "../../types/errors.ts";
import { isJsonObject, type JsonbValue, type JsonObject, jsonb } from "../../types/json-value.ts";
import type { JsonPath } from "../../types/jsonpath/path.ts";
import type { FunctionContext, ScalarFunction, SetFunction } from "../../types/registry.ts";
import { contextual, pure, signature, tooDeep } from "../definition.ts";
import { jsonOf, type PathItem } from "./item.ts";
import { PathError, pathError } from "./methods.ts";
import { PathRun } from "./run.ts";

/** Document, path, and then variables and whether errors are nothing: of operators neither. */
type Arguments = readonly Datum[];

const runOf = (
	[document, path]: Arguments,
	variables: JsonObject | undefined,
	zone: string | undefined,
	now: bigint,
): PathRun =>
	new PathRun(path as JsonPath, (document as JsonbValue).root, { variables, zone, now });

function variablesOf(value: Datum | undefined): JsonObject {
	if (value === undefined) return new Map();
	const { root } = value as JsonbValue;
	if (isJsonObject(root)) return root;
	throw invalidParameter('"vars" argument is not an object', {
		detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
	});
}

/** What `body` answers; `otherwise` where the path complains and may not. */
function quietly<T>(silent: boolean, body: () => T, otherwise: T): T {
	try {
		return body();
	} catch (error) {
		if (silent && error instanceof PathError) return otherwise;
		throw error instanceof RangeError ? tooDeep() : error;
	}
}

function all(run: PathRun, silent: boolean): readonly PathItem[] {
	const found: PathItem[] = [];
	return quietly(silent, () => run.all(found), found);
}

function match(run: PathRun, silent: boolean): boolean | null {
	const found = all(run, silent);
	const [only] = found;
	if (found.length === 1 && (typeof only === "boolean" || only === null)) return only;
	if (silent) return null;
	throw pathError("22038", "single boolean result is expected");
}

const asJson = (item: PathItem): Datum => jsonb(jsonOf(item));

interface PathFunction {
	readonly name: string;
	readonly result: string;
	call(run: PathRun, silent: boolean): Datum;
}

const scalars: readonly PathFunction[] = [
	{
		name: "jsonb_path_exists",
		result: "bool",
		call: (run, silent) => quietly<boolean | null>(silent, () => run.exists(), null),
	},
	{ name: "jsonb_path_match", result: "bool", call: match },
	{
		name: "jsonb_path_query_array",
		result: "jsonb",
		call: (run, silent) => jsonb(all(run, silent).map(jsonOf)),
	},
	{
		name: "jsonb_path_query_first",
		result: "jsonb",
		call(run, silent) {
			const [first] = all(run, silent);
			return first === undefined ? null : asJson(first);
		},
	},
];

const setFunction = "jsonb_path_query";

const withZone = (suffix: string, context: FunctionContext): string | undefined =>
	suffix === "" ? undefined : context.timeZone;

const scalarsOf = (suffix: "" | "_tz"): ScalarFunction[] =>
	scalars.map(({ name, result, call }) =>
		contextual(
			`${name}${suffix}(jsonb, jsonpath, jsonb, bool) -> ${result}`,
			{ volatility: suffix === "" ? "immutable" : "stable", optional: 2 },
			(args, context) => {
				const zone = withZone(suffix, context);
				const run = runOf(args, variablesOf(args[2]), zone, context.transactionStart);
				return call(run, args[3] === true);
			},
		),
	);

const setsOf = (suffix: "" | "_tz"): SetFunction[] =>
	["", ", jsonb", ", jsonb, bool"].map((more) => {
		const { name, args, result } = signature(
			`${setFunction}${suffix}(jsonb, jsonpath${more}) -> jsonb`,
		);
		return {
			name,
			args,
			columns: [{ name, oid: result }],
			call(values, context) {
				const zone = withZone(suffix, context);
				const run = runOf(values, variablesOf(values[2]), zone, context.transactionStart);
				return all(run, values[3] === true).map((item) => [asJson(item)]);
			},
		};
	});

/** An operator has no variables, and nothing to say of errors. */
const operator = (run: (run: PathRun) => Datum) =>
	((document: Datum, path: Datum): Datum =>
		run(runOf([document, path], undefined, undefined, 0n))) as never;

export const jsonpathFunctions: readonly ScalarFunction[] = [
	...scalarsOf(""),
	...scalarsOf("_tz"),
	...(["@?", "jsonb_path_exists_opr"] as const).map((name) =>
		pure(
			`${name}(jsonb, jsonpath) -> bool`,
			operator((run) => quietly<boolean | null>(true, () => run.exists(), null)),
		),
	),
	...(["@@", "jsonb_path_match_opr"] as const).map((name) =>
		pure(
			`${name}(jsonb, jsonpath) -> bool`,
			operator((run) => match(run, true)),
		),
	),
];

export const jsonpathSets: readonly SetFunction[] = [...setsOf(""), ...setsOf("_tz")];
