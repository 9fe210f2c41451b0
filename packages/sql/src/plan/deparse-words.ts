/** Calls that SQL writes in a form of their own (get_func_sql_syntax of ruleutils.c). */

/** Functions that SQL writes without parentheses. */
export const bare: ReadonlySet<string> = new Set([
	"current_catalog",
	"current_date",
	"current_role",
	"current_time",
	"current_timestamp",
	"current_user",
	"localtime",
	"localtimestamp",
	"session_user",
	"user",
]);

/** normalize and is_normalized, where their form can be written as a word; undefined: they are calls as others are. */
export function normalizationText(
	name: string,
	text: string,
	form: string | undefined,
): string | undefined {
	if (form !== undefined && !/^NFK?[CD]$/.test(form)) return undefined;
	if (name === "normalize") return `NORMALIZE(${text}${form === undefined ? "" : `, ${form}`})`;
	return `(${text} IS ${form === undefined ? "" : `${form} `}NORMALIZED)`;
}

const trims: Readonly<Record<string, string>> = {
	btrim: "BOTH",
	ltrim: "LEADING",
	rtrim: "TRAILING",
};

/** Undefined: it is a call as others are. `field`: the first argument as it is; `isOfTexts`: all arguments are. */
export function wordedText(
	name: string,
	[first = "", second = "", third, fourth]: readonly string[],
	field: string,
	isOfTexts: boolean,
): string | undefined {
	switch (name) {
		case "timezone":
			return `(${second} AT TIME ZONE ${first})`;
		case "extract":
			return `EXTRACT(${field} FROM ${second})`;
		case "overlaps":
			return `((${first}, ${second}) OVERLAPS (${third}, ${fourth}))`;
		case "overlay":
			return `OVERLAY(${first} PLACING ${second} FROM ${third}${fourth === undefined ? "" : ` FOR ${fourth}`})`;
		case "position":
			return `POSITION((${second}) IN (${first}))`;
		case "substring":
			if (!isOfTexts)
				return `SUBSTRING(${first} FROM ${second}${third === undefined ? "" : ` FOR ${third}`})`;
			return third === undefined
				? undefined
				: `SUBSTRING(${first} SIMILAR ${second} ESCAPE ${third})`;
		case "btrim":
		case "ltrim":
		case "rtrim":
			return `TRIM(${trims[name]}${second === "" ? "" : ` ${second}`} FROM ${first})`;
		default:
			return undefined;
	}
}
