/** Arguments by name, name => value: put in their places, and those that are left out given their defaults. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression, QualifiedName } from "./ast.ts";
import { unsupported } from "./unsupported.ts";

export interface NamedArgument {
	readonly kind: "named-argument";
	readonly name: string;
	readonly value: Expression;
	readonly at: number;
}

/** Of an argument that may be left out. */
type Default = "0" | "'{}'" | "false" | "true";
type Argument = readonly [name: string, otherwise?: Default];

const pathArguments: readonly Argument[] = [
	["target"],
	["path"],
	["vars", "'{}'"],
	["silent", "false"],
];

const moment: readonly Argument[] = [["year"], ["month"], ["mday"], ["hour"], ["min"], ["sec"]];

/** Functions whose arguments PostgreSQL has names for, as far as they are likely to be used. */
const known: ReadonlyMap<string, readonly Argument[]> = new Map([
	[
		"make_interval",
		["years", "months", "weeks", "days", "hours", "mins", "secs"].map(
			(name): Argument => [name, "0"],
		),
	],
	["make_date", [["year"], ["month"], ["day"]]],
	["make_time", [["hour"], ["min"], ["sec"]]],
	["make_timestamp", moment],
	["make_timestamptz", moment],
	["jsonb_set", [["jsonb_in"], ["path"], ["replacement"], ["create_if_missing", "true"]]],
	["jsonb_insert", [["jsonb_in"], ["path"], ["replacement"], ["insert_after", "false"]]],
	...["exists", "match", "query", "query_array", "query_first"].flatMap((name) =>
		["", "_tz"].map((suffix): readonly [string, readonly Argument[]] => [
			`jsonb_path_${name}${suffix}`,
			pathArguments,
		]),
	),
]);

function defaultNode(value: Default, at: number): Expression {
	if (value === "true" || value === "false")
		return { kind: "boolean", value: value === "true", at };
	const isString = value.startsWith("'");
	return {
		kind: "literal",
		type: isString ? "string" : "integer",
		text: isString ? value.slice(1, -1) : value,
		at,
	};
}

/** Throws 42601, 42883, 0A000. */
export function placedArguments(
	name: QualifiedName,
	given: readonly (Expression | NamedArgument)[],
): readonly Expression[] {
	const first = given.findIndex(({ kind }) => kind === "named-argument");
	if (first < 0) return given as readonly Expression[];
	const called = name.parts.at(-1)!;
	const wanted = known.get(called);
	if (wanted === undefined)
		throw unsupported(`arguments by name of function "${called}" are`, "Give them in their order.");
	const placed: (Expression | undefined)[] = [];
	for (const one of given) {
		if (one.kind !== "named-argument") {
			if (placed.length < first) {
				placed.push(one);
				continue;
			}
			throw new DatabaseError("42601", "positional argument cannot follow named argument", {
				position: one.at + 1,
			});
		}
		const index = wanted.findIndex(([argument]) => argument === one.name);
		if (index >= 0 && placed[index] !== undefined) {
			throw new DatabaseError("42601", `argument name "${one.name}" used more than once`, {
				position: one.at + 1,
			});
		}
		if (index < 0) throw noSuchArgument(called, one);
		placed[index] = one.value;
	}
	const last = wanted.findLastIndex((_argument, i) => placed[i] !== undefined);
	return wanted.slice(0, last + 1).map(([argument, otherwise], i) => {
		const value = placed[i] ?? (otherwise && defaultNode(otherwise, name.at));
		if (value !== undefined) return value;
		throw noSuchArgument(called, { name: argument, at: name.at });
	});
}

const noSuchArgument = (
	called: string,
	{ name, at }: Pick<NamedArgument, "name" | "at">,
): DatabaseError =>
	new DatabaseError("42883", `function ${called}(${name} => unknown) does not exist`, {
		hint: "No function matches the given name and argument types. You might need to add explicit type casts.",
		position: at + 1,
	});
