/**
 * PostgreSQL 15's key words and what each may also be used for (manual, Appendix C; pg_get_keywords()). The grammar asks a
 * word token for its classes instead of listing hundreds of words.
 */

/** May name a column, table, alias, cursor ... (PostgreSQL's ColId). */
export const COLUMN_NAME = 1;
/** May name a function or a type (type_function_name). */
export const FUNCTION_NAME = 2;
/** May follow AS as an output name (ColLabel): every word. */
export const LABEL = 4;
/** May be an output name without AS (BareColLabel). */
export const BARE_LABEL = 8;
/** Is a key word at all. */
export const KEYWORD = 16;

const RESERVED = `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint
create current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral leading
limit localtime localtimestamp not null offset on only or order placing primary references returning select
session_user some symmetric table then to trailing true union unique user using variadic when where window with`;

const FUNCTION_OR_TYPE = `authorization binary collation concurrently cross current_schema freeze full ilike inner is
isnull join left like natural notnull outer overlaps right similar tablesample verbose`;

const COLUMN_ONLY = `between bigint bit boolean char character coalesce dec decimal exists extract float greatest
grouping inout int integer interval least national nchar none normalize nullif numeric out overlay position precision
real row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists
xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`;

const UNRESERVED = `abort absolute access action add admin after aggregate also alter always asensitive assertion
assignment at atomic attach attribute backward before begin breadth by cache call called cascade cascaded catalog chain
characteristics checkpoint class close cluster columns comment comments commit committed compression configuration
conflict connection constraints content continue conversion copy cost csv cube current cursor cycle data database day
deallocate declare defaults deferred definer delete delimiter delimiters depends depth detach dictionary disable discard
document domain double drop each enable encoding encrypted enum escape event exclude excluding exclusive execute explain
expression extension external family filter finalize first following force forward function functions generated global
granted groups handler header hold hour identity if immediate immutable implicit import include including increment
index indexes inherit inherits inline input insensitive insert instead invoker isolation key label language large last
leakproof level listen load local location lock locked logged mapping match matched materialized maxvalue merge method
minute minvalue mode month move name names new next nfc nfd nfkc nfkd no normalized nothing notify nowait nulls object
of off oids old operator option options ordinality others over overriding owned owner parallel parameter parser partial
partition passing password plans policy preceding prepare prepared preserve prior privileges procedural procedure
procedures program publication quote range read reassign recheck recursive ref referencing refresh reindex relative
release rename repeatable replace replica reset restart restrict return returns revoke role rollback rollup routine
routines rows rule savepoint schema schemas scroll search second security sequence sequences serializable server session
set sets share show simple skip snapshot sql stable standalone start statement statistics stdin stdout storage stored
strict strip subscription support sysid system tables tablespace temp template temporary text ties transaction transform
trigger truncate trusted type types uescape unbounded uncommitted unencrypted unknown unlisten unlogged until update
vacuum valid validate validator value varying version view views volatile whitespace within without work wrapper write
xml year yes zone`;

const NOT_BARE = `array as char character create day except fetch filter for from grant group having hour intersect into
isnull limit minute month notnull offset on order over overlaps precision returning second to union varying where window
with within without year`;

/**
 * PostgreSQL calls these bare labels too, but its precedence rules always read them as the continuation of the expression
 * before them. The grammar has no such rules, so they are taken out here.
 */
const CONTINUES_EXPRESSION = "and or is in like ilike similar between not collate at operator";

const words = (list: string): string[] => list.split(/\s+/);

const build = (): ReadonlyMap<string, number> => {
	const notBare = new Set([...words(NOT_BARE), ...words(CONTINUES_EXPRESSION)]);
	const classes = new Map<string, number>();
	const add = (list: string, kinds: number): void => {
		for (const word of words(list)) {
			classes.set(word, kinds | KEYWORD | LABEL | (notBare.has(word) ? 0 : BARE_LABEL));
		}
	};
	add(RESERVED, 0);
	add(FUNCTION_OR_TYPE, FUNCTION_NAME);
	add(COLUMN_ONLY, COLUMN_NAME);
	add(UNRESERVED, COLUMN_NAME | FUNCTION_NAME);
	return classes;
};

const KEYWORDS = build();

/** What a plain identifier may be used for. */
export const IDENTIFIER_CLASSES: number = COLUMN_NAME | FUNCTION_NAME | LABEL | BARE_LABEL;

/** The classes of a folded word; undefined if it is no key word. */
export const keywordClasses = (word: string): number | undefined => KEYWORDS.get(word);

const notBareLabels: ReadonlySet<string> = new Set(words(NOT_BARE));

/** As PostgreSQL says: it may be an output name without AS. */
export const isBareLabel = (word: string): boolean => !notBareLabels.has(word);

/** As pg_get_keywords: word and category U, C, T or R. */
export function allKeywords(): readonly (readonly [word: string, category: string])[] {
	const all: [string, string][] = [];
	for (const [list, category] of [
		[RESERVED, "R"],
		[FUNCTION_OR_TYPE, "T"],
		[COLUMN_ONLY, "C"],
		[UNRESERVED, "U"],
	] as const) {
		for (const word of words(list)) {
			all.push([word, category]);
		}
	}
	return all.sort(([a], [b]) => (a < b ? -1 : 1));
}
