/** Options of COPY, with PostgreSQL's defaults and refusals. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Option } from "../parser/ast.ts";

export interface CopyOptions {
	readonly format: "text" | "csv" | "binary";
	readonly delimiter: string;
	readonly nullText: string;
	/** `match`: a header that has to name the columns. */
	readonly header: "no" | "yes" | "match";
	readonly quote: string;
	readonly escape: string;
	/** Names, or all. */
	readonly forceQuote: readonly string[] | "*";
	readonly forceNotNull: readonly string[];
	readonly forceNull: readonly string[];
}

function headerOf(given: ReadonlyMap<string, Option["value"]>): CopyOptions["header"] {
	if (!given.has("header")) return "no";
	const value = given.get("header");
	if (String(value).toLowerCase() === "match") return "match";
	return flag(value) ? "yes" : "no";
}

const flag = (value: Option["value"]): boolean =>
	value === undefined ||
	value === true ||
	value === 1 ||
	["on", "true"].includes(String(value).toLowerCase());

const names = (value: Option["value"]): readonly string[] =>
	Array.isArray(value) ? (value as readonly string[]) : [];

function oneByte(option: string, value: string): string {
	if (value.length === 1 && value.charCodeAt(0) < 128) return value;
	throw new DatabaseError("0A000", `COPY ${option} must be a single one-byte character`);
}

function refuseInBinary(given: ReadonlyMap<string, Option["value"]>): void {
	for (const name of ["delimiter", "null"]) {
		if (given.has(name)) {
			throw new DatabaseError("42601", `cannot specify ${name.toUpperCase()} in BINARY mode`);
		}
	}
	if (headerOf(given) !== "no") {
		throw new DatabaseError("0A000", "cannot specify HEADER in BINARY mode");
	}
}

export function copyOptions(options: readonly Option[]): CopyOptions {
	const given = new Map<string, Option["value"]>();
	let formatAt = 0;
	for (const { name, value, at } of options) {
		if (name === "format") formatAt = at;
		if (!known.has(name)) {
			throw new DatabaseError("42601", `option "${name}" not recognized`, { position: at + 1 });
		}
		if (given.has(name)) {
			throw new DatabaseError("42601", "conflicting or redundant options", { position: at + 1 });
		}
		given.set(name, value);
	}
	const format = String(given.get("format") ?? "text").toLowerCase();
	if (format !== "text" && format !== "csv" && format !== "binary") {
		throw new DatabaseError("22023", `COPY format "${format}" not recognized`, {
			position: formatAt + 1,
		});
	}
	if (format === "binary") refuseInBinary(given);
	const csv = format === "csv";
	const text = (name: string, initial: string): string => String(given.get(name) ?? initial);
	const delimiter = oneByte("delimiter", text("delimiter", csv ? "," : "\t"));
	const quote = oneByte("quote", text("quote", '"'));
	for (const name of ["quote", "escape", "force_quote", "force_not_null", "force_null"]) {
		if (!csv && given.has(name)) {
			throw new DatabaseError(
				"0A000",
				`COPY ${name.replaceAll("_", " ")} available only in CSV mode`,
			);
		}
	}
	if (delimiter === "\n" || delimiter === "\r") {
		throw new DatabaseError("22023", "COPY delimiter cannot be newline or carriage return");
	}
	if (!csv && /[a-z0-9.\\]/.test(delimiter)) {
		throw new DatabaseError("22023", `COPY delimiter cannot be "${delimiter}"`);
	}
	if (csv && delimiter === quote) {
		throw new DatabaseError("22023", "COPY delimiter and quote must be different");
	}
	return {
		format,
		delimiter,
		nullText: text("null", csv ? "" : "\\N"),
		header: headerOf(given),
		quote,
		escape: oneByte("escape", text("escape", quote)),
		forceQuote: given.get("force_quote") === "*" ? "*" : names(given.get("force_quote")),
		forceNotNull: names(given.get("force_not_null")),
		forceNull: names(given.get("force_null")),
	};
}

const known: ReadonlySet<string> = new Set([
	"format",
	"freeze",
	"delimiter",
	"null",
	"header",
	"quote",
	"escape",
	"force_quote",
	"force_not_null",
	"force_null",
	"encoding",
]);
