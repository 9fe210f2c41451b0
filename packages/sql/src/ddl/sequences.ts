/** CREATE SEQUENCE. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { SequenceDescriptor } from "../catalog/descriptor.ts";
import type { Option, Statement } from "../parser/ast.ts";
import { typeByName } from "../types/registry.ts";
import { findTable } from "./drop.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { columnNamed } from "./table-parts.ts";

type CreateSequence = Extract<Statement, { kind: "create-sequence" }>;

const bounds: Readonly<Record<number, readonly [bigint, bigint]>> = {
	21: [-32768n, 32767n],
	23: [-2147483648n, 2147483647n],
	20: [-9223372036854775808n, 9223372036854775807n],
};

interface Numbers {
	readonly typeOid: number;
	readonly start: bigint;
	readonly increment: bigint;
	readonly min: bigint;
	readonly max: bigint;
	readonly cache: number;
	readonly cycle: boolean;
}

const bad = (message: string): DatabaseError => new DatabaseError("22023", message);

function numbersOf(options: readonly Option[]): Numbers {
	const given = new Map<string, Option["value"]>();
	for (const { name, value } of options) {
		if (given.has(name)) throw new DatabaseError("42601", "conflicting or redundant options");
		given.set(name, value);
	}
	const number = (name: string): bigint | undefined => {
		const value = given.get(name);
		return value === undefined ? undefined : BigInt(String(value));
	};
	const typeOid = typeByName(String(given.get("as") ?? "int8"))?.oid ?? 0;
	const range = bounds[typeOid];
	if (range === undefined) throw bad("sequence type must be smallint, integer, or bigint");
	const increment = number("increment") ?? 1n;
	if (increment === 0n) throw bad("INCREMENT must not be zero");
	const up = increment > 0n;
	const min = number("minvalue") ?? (up ? 1n : range[0]);
	const max = number("maxvalue") ?? (up ? range[1] : -1n);
	if (max > range[1] || max < range[0])
		throw bad(`MAXVALUE (${max}) is out of range for sequence data type`);
	if (min > range[1] || min < range[0])
		throw bad(`MINVALUE (${min}) is out of range for sequence data type`);
	if (min >= max) throw bad(`MINVALUE (${min}) must be less than MAXVALUE (${max})`);
	const start = number("start") ?? (up ? min : max);
	if (start < min) throw bad(`START value (${start}) cannot be less than MINVALUE (${min})`);
	if (start > max) throw bad(`START value (${start}) cannot be greater than MAXVALUE (${max})`);
	const cache = number("cache") ?? 1n;
	if (cache < 1n) throw bad(`CACHE (${cache}) must be greater than zero`);
	return {
		typeOid,
		start,
		increment,
		min,
		max,
		cache: Number(cache > 1_000_000n ? 1_000_000n : cache),
		cycle: given.get("cycle") === true,
	};
}

function ownerOf(editor: SchemaEditor, options: readonly Option[]): SequenceDescriptor["ownedBy"] {
	const value = options.find((option) => option.name === "owned_by")?.value;
	if (!Array.isArray(value)) return undefined;
	const parts = value as readonly string[];
	if (parts.length === 1 && parts[0] === "none") return undefined;
	if (parts.length < 2) {
		throw new DatabaseError("42601", "invalid OWNED BY option", {
			hint: "Specify OWNED BY table.column or OWNED BY NONE.",
		});
	}
	const table = findTable(editor, { parts: parts.slice(0, -1), at: 0 });
	if (table === undefined) {
		throw new DatabaseError("42P01", `relation "${parts.at(-2)}" does not exist`);
	}
	return { tableOid: table.oid, attnum: columnNamed(table, parts.at(-1)!).attnum };
}

export async function createSequence(
	editor: SchemaEditor,
	statement: CreateSequence,
): Promise<string> {
	const [schema, name] = editor.target(statement.name);
	if (editor.isTaken(schema, name)) {
		if (!statement.ifNotExists) throw alreadyExists(name);
		editor.state.notice("NOTICE", "42P07", `relation "${name}" already exists, skipping`);
		return "CREATE SEQUENCE";
	}
	const numbers = numbersOf(statement.options);
	await editor.put({
		kind: "sequence",
		oid: await editor.newId(),
		schema,
		name,
		typeOid: numbers.typeOid,
		start: String(numbers.start),
		increment: String(numbers.increment),
		min: String(numbers.min),
		max: String(numbers.max),
		cache: numbers.cache,
		cycle: numbers.cycle,
		ownedBy: ownerOf(editor, statement.options),
		valueId: await editor.newId(),
	});
	return "CREATE SEQUENCE";
}
