/**
 * How expressions in the catalog name sequences: `'public.order_id_seq'::regclass`, with the schema, so that they mean the same under
 * every search_path; what is renamed or moved is rewritten in them. Shown, the schema is left out where it need not be there.
 */
import { quoteIdentifier, quoteLiteral } from "../functions/quoting-functions.ts";
import { foldIdentifier, unquoteIdentifier } from "../parser/string-literal.ts";

const reference = /'((?:[^']|'')+)'::regclass/g;
const part = /"((?:[^"]|"")+)"|([^".\s]+)/g;

interface Named {
	readonly schema: string;
	readonly name: string;
}

export const referenceText = ({ schema, name }: Named): string =>
	`${quoteLiteral(`${quoteIdentifier(schema)}.${quoteIdentifier(name)}`)}::regclass`;

function partsOf(quoted: string): readonly string[] {
	const parts = quoted.replaceAll("''", "'").match(part) ?? [];
	return parts.map((one) => (one.startsWith('"') ? unquoteIdentifier(one) : foldIdentifier(one)));
}

/** `change`: of the parts of a name; undefined leaves the reference as it is. */
export function withReferences(
	text: string,
	change: (parts: readonly string[]) => string | undefined,
): string {
	if (!text.includes("::regclass")) return text;
	return text.replace(reference, (whole, quoted: string) => change(partsOf(quoted)) ?? whole);
}

/** The parts of each name in it. */
export const referencesIn = (text: string): readonly (readonly string[])[] =>
	[...text.matchAll(reference)].map(([, quoted = ""]) => partsOf(quoted));

/** Of before there were schemas. */
export const inPublic = (text: string): string =>
	withReferences(text, ([name, more]) =>
		name === undefined || more !== undefined
			? undefined
			: referenceText({ schema: "public", name }),
	);

export const refersTo = (text: string | undefined, named: Named): boolean =>
	text?.includes(referenceText(named)) === true;

export const withRenamed = (text: string, from: Named, to: Named): string =>
	text.replaceAll(referenceText(from), referenceText(to));
