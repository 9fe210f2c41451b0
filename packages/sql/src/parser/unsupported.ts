/** What PostgreSQL has and Quorate does not: refused by name, not as a syntax error. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";

/** `feature` ends in "is" or "are". */
export const unsupported = (feature: string, hint?: string): DatabaseError =>
	new DatabaseError("0A000", `${feature} not supported`, hint === undefined ? {} : { hint });

export const noXml = "There is no type xml; XML can be kept as text.";

export const amongActions = (): DatabaseError =>
	unsupported("OWNER TO among other actions is", "Write it as a statement of its own.");

const CREATED =
	`access aggregate assertion cast collation conversion event foreign function language
materialized operator policy procedure publication rule server statistics subscription tablespace text
transform trigger`.split(/\s+/);

const ALTERED =
	`aggregate collation conversion event extension foreign function index language large
materialized operator policy procedure publication routine rule schema server statistics subscription
tablespace text trigger`.split(/\s+/);

const DROPPED = `access aggregate cast collation conversion event foreign function language
materialized operator policy procedure publication routine rule server statistics subscription tablespace text transform
trigger`.split(/\s+/);

const DROPPED_ABSENT: ReadonlySet<string> = new Set(
	`aggregate conversion event foreign function materialized policy procedure publication routine rule server
statistics subscription trigger`.split(/\s+/),
);

/** First words of whole statements. */
const WHOLE: Readonly<Record<string, string>> = dictionary({
	call: "CALL",
	cluster: "CLUSTER",
	do: "DO",
	import: "IMPORT FOREIGN SCHEMA",
	load: "LOAD",
	merge: "MERGE",
	refresh: "REFRESH MATERIALIZED VIEW",
	reindex: "REINDEX",
	security: "SECURITY LABEL",
});

/** In pairs, the second word names what the first does to it. */
const PAIRS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
	["create", new Set(CREATED)],
	["alter", new Set(ALTERED)],
	["drop", new Set(DROPPED)],
]);

const SKIPPED = new Set(
	`or replace temp temporary local global trusted procedural default constraint`.split(" "),
);

const ownable: ReadonlySet<string> = new Set(["table", "sequence", "index", "view", "schema"]);

/** OWNER TO, RENAME TO, SET SCHEMA. */
const isOfName = (words: readonly string[]): boolean =>
	words.some(
		(word, i) =>
			i > 2 &&
			(word === "owner" || word === "rename" || (word === "set" && words[i + 1] === "schema")),
	);

/** Looks at a statement's first words. `words` are folded; what is no word is "". */
export function refuseByOpening(words: readonly string[]): void {
	const [first = "", second = ""] = words;
	const whole = Object.hasOwn(WHOLE, first) ? WHOLE[first] : undefined;
	if (whole !== undefined) {
		throw unsupported(`${whole} ${whole.endsWith("s") ? "are" : "is"}`);
	}
	if ((first === "commit" || first === "rollback") && second === "prepared") {
		throw unsupported("PREPARE TRANSACTION is");
	}
	if (second === "user" && words[2] === "mapping" && words[3] !== "with") {
		throw unsupported(`${first.toUpperCase()} USER MAPPING is`);
	}
	if (first === "alter" && ownable.has(second) && isOfName(words)) {
		return;
	}
	// What cannot be there is not there, and IF EXISTS says so.
	if (first === "drop" && DROPPED_ABSENT.has(second) && words.includes("exists")) return;
	const objects = PAIRS.get(first);
	const object = words.slice(1).find((word) => !SKIPPED.has(word)) ?? "";
	if (objects?.has(object) === true) {
		const named = object === "materialized" ? "materialized view" : object;
		throw unsupported(`${`${first} ${named}`.toUpperCase()} is`);
	}
}
