/** An answer in the form of conformance-file.ts, written down while it arrives, from PostgreSQL or from Quorate. */
import { escapeField } from "./conformance-file.ts";

export interface AnswerError {
	readonly severity: string;
	readonly code: string;
	readonly message: string;
	readonly position?: number | string | undefined;
	readonly detail?: string | undefined;
	readonly hint?: string | undefined;
	readonly where?: string | undefined;
	readonly table?: string | undefined;
	readonly column?: string | undefined;
	readonly dataType?: string | undefined;
	readonly constraint?: string | undefined;
}

export class Answer {
	readonly lines: string[] = [];
	readonly #settings = new Map<string, string>();
	/** Columns of a result of which nothing has come yet. */
	#pending: string | undefined;

	/** A statement that fails before its first row has no columns: PostgreSQL may have told them, Quorate waits for the row. */
	columns(columns: readonly AnswerColumn[]): void {
		this.#pending = showColumns(columns);
	}

	/** Of a prepared statement, told whatever comes of it. */
	described(columns: readonly AnswerColumn[]): void {
		this.lines.push(showColumns(columns));
	}

	parameters(oids: readonly number[]): void {
		if (oids.length > 0) {
			this.lines.push(`parameters: ${oids.map((oid) => typeName(oid, -1)).join(" ")}`);
		}
	}

	row(fields: readonly (string | null)[]): void {
		this.#flush();
		this.lines.push(`|${fields.map((field) => `${escapeField(field)}|`).join("")}`);
	}

	copyOut(data: string): void {
		this.lines.push(
			...data
				.replace(/\n$/, "")
				.split("\n")
				.map((line) => `>${line}`),
		);
	}

	/** A command tag, or something as final. */
	line(text: string): void {
		this.#flush();
		this.lines.push(text);
	}

	#flush(): void {
		if (this.#pending !== undefined) this.lines.push(this.#pending);
		this.#pending = undefined;
	}

	/** Notices, too. */
	error(error: AnswerError): void {
		if (error.severity === "ERROR") this.#pending = undefined;
		const at = error.position === undefined ? "" : ` at ${error.position}`;
		this.lines.push(`${error.severity} ${error.code}${at}: ${oneLine(error.message)}`);
		if (error.detail !== undefined) this.lines.push(`DETAIL: ${oneLine(error.detail)}`);
		if (error.hint !== undefined) this.lines.push(`HINT: ${oneLine(error.hint)}`);
		if (error.where !== undefined) this.lines.push(`CONTEXT: ${oneLine(error.where)}`);
		const { table, column, dataType, constraint } = error;
		const fields = Object.entries({ table, column, dataType, constraint })
			.filter(([, value]) => value !== undefined)
			.map(([name, value]) => `${name}=${value}`);
		if (fields.length > 0) this.lines.push(`FIELDS: ${fields.join(" ")}`);
	}

	/** Servers choose when they say it: told at the end, sorted. */
	setting(name: string, value: string): void {
		this.#settings.set(name, value);
	}

	end(status: string): readonly string[] {
		for (const [name, value] of [...this.#settings].sort()) {
			this.lines.push(`parameter ${name} = ${value}`);
		}
		if (status === "T") this.lines.push("(in a transaction)");
		if (status === "E") this.lines.push("(in a failed transaction)");
		return this.lines;
	}
}

interface AnswerColumn {
	readonly name: string;
	readonly oid: number;
	readonly modifier: number;
}

function showColumns(columns: readonly AnswerColumn[]): string {
	const shown = columns.map(
		({ name, oid, modifier }) => `${escapeField(name)} ${typeName(oid, modifier)}`,
	);
	return shown.length === 0 ? "(no columns)" : shown.join(" | ");
}

const oneLine = (text: string): string => text.replaceAll("\n", "\\n");

/** pg_type's names. Not from the registry of types: that is what is being compared. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
	16: "bool",
	17: "bytea",
	18: "char",
	19: "name",
	20: "int8",
	21: "int2",
	22: "int2vector",
	23: "int4",
	24: "regproc",
	25: "text",
	26: "oid",
	28: "xid",
	30: "oidvector",
	114: "json",
	199: "_json",
	700: "float4",
	701: "float8",
	705: "unknown",
	1000: "_bool",
	1003: "_name",
	1005: "_int2",
	1007: "_int4",
	1009: "_text",
	1015: "_varchar",
	1016: "_int8",
	1022: "_float8",
	1042: "bpchar",
	1043: "varchar",
	1082: "date",
	1083: "time",
	1114: "timestamp",
	1184: "timestamptz",
	1186: "interval",
	1231: "_numeric",
	1700: "numeric",
	2205: "regclass",
	2206: "regtype",
	2249: "record",
	2278: "void",
	2950: "uuid",
	2951: "_uuid",
	3802: "jsonb",
	3807: "_jsonb",
	4072: "jsonpath",
	4073: "_jsonpath",
};

export const typeOidByName = (name: string): number =>
	Number(Object.entries(TYPE_NAMES).find(([, known]) => known === name)?.[0] ?? 0);

/** Below are the objects that every database has. */
const firstNormalOid = 16384;

function typeName(oid: number, modifier: number): string {
	// Of a type that somebody has made the number is another each time.
	if (oid >= firstNormalOid) return "made";
	const name = TYPE_NAMES[oid] ?? String(oid);
	if (modifier === -1) return name;
	switch (name) {
		case "varchar":
		case "bpchar":
			return `${name}(${modifier - 4})`;
		case "numeric":
			return `${name}(${(modifier - 4) >> 16},${(modifier - 4) & 0x7ff})`;
		default:
			return `${name}(${modifier})`;
	}
}
