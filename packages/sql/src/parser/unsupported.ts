/** What PostgreSQL has and Quorate does not: refused by name, not as a syntax error. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";

/** `feature` ends in "is" or "are". */
export const unsupported = (feature: string, hint: string): DatabaseError =>
	new DatabaseError("0A000", `${feature} not supported`, { hint });

const noRoutines = "There is no code in the database: have the application run the statements.";

export const noXml = "There is no type xml; XML can be kept as text.";

/** Names of which only the first word tells what is meant. */
const FULL_NAMES: Readonly<Record<string, string>> = dictionary({
	access: "ACCESS METHOD",
	event: "EVENT TRIGGER",
	large: "LARGE OBJECT",
	materialized: "MATERIALIZED VIEW",
	procedural: "LANGUAGE",
	text: "TEXT SEARCH",
});

export const uncommentable = (what: string): DatabaseError =>
	unsupported(
		`COMMENT ON ${FULL_NAMES[what] ?? what.toUpperCase()} is`,
		"Comments are kept on what can be made: tables and their parts, views, sequences, types, schemas, databases and roles.",
	);

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
const WHOLE: Readonly<Record<string, readonly [feature: string, hint: string]>> = dictionary({
	call: ["CALL", noRoutines],
	cluster: ["CLUSTER", "Rows are always in the order of the primary key."],
	do: ["DO", noRoutines],
	import: ["IMPORT FOREIGN SCHEMA", "Load the rows with COPY."],
	load: ["LOAD", noRoutines],
	merge: ["MERGE", "INSERT ... ON CONFLICT does much of it."],
	refresh: ["REFRESH MATERIALIZED VIEW", "Use a table that INSERT ... SELECT fills."],
	reindex: ["REINDEX", "Drop the index, and create it again: neither keeps anybody waiting."],
	security: ["SECURITY LABEL", "Rights are given by GRANT."],
});

/** By what is made, changed or dropped; others have the hint of those that nothing replaces. */
const INSTEAD: Readonly<Record<string, string>> = dictionary({
	aggregate: noRoutines,
	collation: 'All text has the collation "C".',
	function: noRoutines,
	language: noRoutines,
	"materialized view": "Use a table that INSERT ... SELECT fills.",
	policy: "Rights are on whole tables and columns; a view can show some of the rows.",
	procedure: noRoutines,
	publication: "LISTEN and NOTIFY tell of changes.",
	recursive: "Use CREATE VIEW ... AS WITH RECURSIVE.",
	routine: noRoutines,
	rule: "Rows of views are written through them where they show one table.",
	subscription: "BACKUP and RESTORE copy a database.",
	tablespace: "ALTER TABLE ... CONFIGURE says where rows are.",
	trigger: "Use DEFAULT, generated columns, constraints and foreign keys.",
});
const nothingInstead = "Nothing takes its place: leave it out.";

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
	if (whole !== undefined) throw unsupported(`${whole[0]} is`, whole[1]);
	if ((first === "commit" || first === "rollback") && second === "prepared") {
		throw unsupported(
			"PREPARE TRANSACTION is",
			"Transactions over several ranges are atomic anyway.",
		);
	}
	if (second === "user" && words[2] === "mapping" && words[3] !== "with") {
		throw unsupported(`${first.toUpperCase()} USER MAPPING is`, "There are no foreign tables.");
	}
	if (first === "alter" && ownable.has(second) && isOfName(words)) {
		return;
	}
	// What cannot be there is not there, and IF EXISTS says so.
	if (first === "drop" && DROPPED_ABSENT.has(second) && words.includes("exists")) return;
	const objects = PAIRS.get(first);
	const object = words.slice(1).find((word) => !SKIPPED.has(word)) ?? "";
	if (objects?.has(object) === true) {
		const isTable = object === "foreign" && words.includes("table");
		const foreign = isTable ? "foreign table" : "foreign data wrapper";
		const full = object === "foreign" ? foreign : FULL_NAMES[object];
		const named = (full ?? object).toLowerCase();
		throw unsupported(`${`${first} ${named}`.toUpperCase()} is`, INSTEAD[named] ?? nothingInstead);
	}
}
