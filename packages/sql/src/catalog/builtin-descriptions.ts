/** What pg_description says of what every database has; read when it is first asked. */
import { collationOids } from "./collations.ts";
import {
	collationDescriptions,
	functionDescriptions,
	methodDescriptions,
	typeDescriptions,
} from "./system-description-data.ts";
import { pgAmOid, pgCollationOid, pgOperatorOid, pgProcOid, pgTypeOid } from "./system-names.ts";
import { operators } from "./system-operators.ts";
import { accessMethodRows, procedures } from "./system-types.ts";

/** By object id. */
type Descriptions = ReadonlyMap<number, string>;

/** The last bar of a key is followed by the text. */
function read(data: string, parts: number): ReadonlyMap<string, string> {
	return new Map(
		data
			.trim()
			.split("\n")
			.map((line) => {
				const fields = line.split("|");
				return [fields.slice(0, parts).join("|"), fields.slice(parts).join("|")] as const;
			}),
	);
}

function found<T extends { readonly oid: number }>(
	objects: Iterable<T>,
	textOf: (object: T) => string | undefined,
): Descriptions {
	const texts = new Map<number, string>();
	for (const object of objects) {
		const text = textOf(object);
		if (text !== undefined) texts.set(object.oid, text);
	}
	return texts;
}

function all(): ReadonlyMap<number, Descriptions> {
	const functions = read(functionDescriptions, 2);
	const methods = read(methodDescriptions, 1);
	const collations = read(collationDescriptions, 1);
	const types = [...read(typeDescriptions, 1)];
	return new Map([
		[pgTypeOid, new Map(types.map(([oid, text]) => [Number(oid), text]))],
		[pgProcOid, found(procedures, ({ name, args }) => functions.get(`${name}|${args.join(" ")}`))],
		[pgOperatorOid, found(operators, ({ description }) => description)],
		[
			pgAmOid,
			found(
				accessMethodRows().map(({ oid, amname }) => ({ oid: Number(oid), name: String(amname) })),
				({ name }) => methods.get(name),
			),
		],
		[
			pgCollationOid,
			found(
				Object.entries(collationOids).map(([name, oid]) => ({ name, oid })),
				({ name }) => collations.get(name),
			),
		],
	]);
}

let kept: ReadonlyMap<number, Descriptions> | undefined;

/** By the OID of the catalog that the objects are in. */
export function builtinDescriptions(): ReadonlyMap<number, Descriptions> {
	kept ??= all();
	return kept;
}

/** `catalog` undefined: whatever has that number. */
export function builtinDescription(catalog: number | undefined, oid: number): string | undefined {
	const descriptions = builtinDescriptions();
	if (catalog !== undefined) return descriptions.get(catalog)?.get(oid);
	return [...descriptions.values()]
		.map((texts) => texts.get(oid))
		.find((text) => text !== undefined);
}
