/**
 * The syntax tree: small readonly nodes tagged by `kind`, made by the grammar, consumed by the binder. Names are folded
 * (lower case unless quoted). `at` is the 0-based offset in the statement to which PostgreSQL's errors about the node point: an
 * operator's token (also IS, IN, BETWEEN, LIKE, ::, JOIN, UNION), else the node's first character.
 */

/** a.b.c as written, outermost first. */
export interface QualifiedName {
	readonly parts: readonly string[];
	readonly at: number;
}

export interface TypeName {
	/** Folded, as written after alias mapping by the grammar: "int4", "varchar", "timestamptz", or a qualified name's parts. */
	readonly name: readonly string[];
	/** varchar(10), numeric(8,2), char(22). */
	readonly modifiers: readonly number[];
	/** Number of [] after it. */
	readonly dimensions: number;
	/** COLLATE: only texts may have it, in the order that they have anyway. `at`: of the word. */
	readonly collation?: { readonly name: string; readonly at: number };
	readonly at: number;
}

export type Expression =
	/** `type`: integer (int4 or int8 or numeric by size), decimal, string (unknown type). Text as written, without quotes; a number may begin with a minus. */
	| {
			readonly kind: "literal";
			readonly type: "integer" | "decimal" | "string";
			readonly text: string;
			readonly at: number;
	  }
	| { readonly kind: "null"; readonly at: number }
	| { readonly kind: "boolean"; readonly value: boolean; readonly at: number }
	/** $n written in the text, from 1. */
	| { readonly kind: "parameter"; readonly index: number; readonly at: number }
	/** A literal that the plan cache lifted out; `index` from 0 into the statement's lifted literals. */
	| {
			readonly kind: "lifted";
			readonly type: "integer" | "decimal" | "string";
			readonly index: number;
			readonly at: number;
	  }
	| { readonly kind: "column"; readonly name: QualifiedName; readonly at: number }
	/** `*` or `t.*` where a list of expressions allows it. */
	| { readonly kind: "star"; readonly qualifier: readonly string[]; readonly at: number }
	/**
	 * Arithmetic, comparison, `||`, `~`, `and`, `or`, `is distinct from`, user-visible operator text (`!=` as `<>`); unary has one
	 * operand. Chains of `and` or `or` are balanced trees, in order. IS NOT DISTINCT FROM is `not` of the operator.
	 */
	| {
			readonly kind: "operator";
			readonly operator: string;
			readonly operands: readonly Expression[];
			/** AND and OR: in parentheses. */
			readonly closed?: boolean;
			readonly at: number;
	  }
	| { readonly kind: "not"; readonly operand: Expression; readonly at: number }
	| {
			readonly kind: "is";
			readonly test: "null" | "true" | "false" | "unknown";
			readonly negated: boolean;
			readonly operand: Expression;
			readonly at: number;
	  }
	| {
			readonly kind: "between";
			readonly operand: Expression;
			readonly low: Expression;
			readonly high: Expression;
			readonly negated: boolean;
			readonly symmetric: boolean;
			readonly at: number;
	  }
	| {
			readonly kind: "like";
			readonly operand: Expression;
			readonly pattern: Expression;
			readonly escape: Expression | undefined;
			readonly caseInsensitive: boolean;
			readonly similar: boolean;
			readonly negated: boolean;
			readonly at: number;
	  }
	| {
			readonly kind: "in-list";
			readonly operand: Expression;
			readonly list: readonly Expression[];
			readonly negated: boolean;
			readonly at: number;
	  }
	| {
			readonly kind: "in-query";
			readonly operand: Expression;
			readonly query: Query;
			readonly negated: boolean;
			readonly at: number;
	  }
	/** operand op ANY|ALL (array or query). LIKE ANY has the operator ~~, NOT ILIKE ALL has !~~*. */
	| {
			readonly kind: "quantified";
			readonly operand: Expression;
			readonly operator: string;
			readonly quantifier: "any" | "all";
			readonly right: Expression | Query;
			readonly at: number;
	  }
	| { readonly kind: "exists"; readonly query: Query; readonly at: number }
	| { readonly kind: "scalar-query"; readonly query: Query; readonly at: number }
	| { readonly kind: "array-query"; readonly query: Query; readonly at: number }
	| { readonly kind: "array"; readonly elements: readonly Expression[]; readonly at: number }
	| { readonly kind: "row"; readonly elements: readonly Expression[]; readonly at: number }
	| {
			readonly kind: "subscript";
			readonly operand: Expression;
			readonly index: Expression;
			/** In parentheses. */
			readonly closed?: boolean;
			readonly at: number;
	  }
	/** operand[lower:upper]. */
	| {
			readonly kind: "slice";
			readonly operand: Expression;
			readonly lower: Expression | undefined;
			readonly upper: Expression | undefined;
			readonly closed?: boolean;
			readonly at: number;
	  }
	/** (operand).name */
	| {
			readonly kind: "field";
			readonly operand: Expression;
			readonly name: string;
			readonly at: number;
	  }
	/** (operand).* */
	| { readonly kind: "fields"; readonly operand: Expression; readonly at: number }
	| {
			readonly kind: "case";
			readonly operand: Expression | undefined;
			readonly branches: readonly CaseBranch[];
			readonly otherwise: Expression | undefined;
			readonly at: number;
	  }
	/** expr::type, CAST(expr AS type), type 'literal'. */
	| {
			readonly kind: "cast";
			readonly operand: Expression;
			readonly type: TypeName;
			readonly at: number;
	  }
	| {
			readonly kind: "collate";
			readonly operand: Expression;
			readonly collation: QualifiedName;
			readonly at: number;
	  }
	| {
			readonly kind: "at-time-zone";
			readonly operand: Expression;
			readonly zone: Expression;
			readonly at: number;
	  }
	/**
	 * Also current_timestamp, current_user, coalesce, nullif, greatest, least, extract(field from x) as extract('field', x), substring,
	 * overlay; trim as btrim, ltrim, rtrim; position(a in b) as position(b, a), the order of PostgreSQL's function.
	 */
	| {
			readonly kind: "call";
			readonly name: QualifiedName;
			readonly args: readonly Expression[];
			readonly star: boolean;
			readonly distinct: boolean;
			readonly variadic: boolean;
			readonly orderBy: readonly OrderItem[];
			readonly filter: Expression | undefined;
			/** WITHIN GROUP (ORDER BY ...). */
			readonly withinGroup?: { readonly orderBy: readonly OrderItem[]; readonly at: number };
			/** OVER: the name of a window, or a window of its own. */
			readonly over?: WindowReference | WindowDefinition;
			/** With words between its arguments: SUBSTRING(a FROM 1), TRIM(a), (a, b) OVERLAPS (c, d). */
			readonly worded?: true;
			readonly at: number;
	  }
	/** GROUPING(...): which of the expressions are not in the row's grouping set. */
	| { readonly kind: "grouping"; readonly args: readonly Expression[]; readonly at: number }
	/** DEFAULT in VALUES and SET. */
	| { readonly kind: "default"; readonly at: number };

export interface CaseBranch {
	readonly when: Expression;
	readonly then: Expression;
	/** Of WHEN. */
	readonly at: number;
}

export interface WindowReference {
	readonly kind: "window-name";
	readonly name: string;
	readonly at: number;
}

/** (base PARTITION BY ... ORDER BY ... frame). */
export interface WindowDefinition {
	readonly kind: "window";
	/** Of the window that this one extends. */
	readonly base: WindowReference | undefined;
	readonly partitionBy: readonly Expression[];
	readonly orderBy: readonly OrderItem[];
	readonly frame: WindowFrame | undefined;
	/** Of the parenthesis. */
	readonly at: number;
}

export interface WindowFrame {
	readonly unit: "rows" | "range" | "groups";
	readonly start: FrameBound;
	readonly end: FrameBound;
	/** False: the end was not written. */
	readonly isBetween: boolean;
	readonly exclude: "no others" | "current row" | "group" | "ties";
}

export type FrameBound = { readonly at: number } & (
	| { readonly edge: "unbounded preceding" | "current row" | "unbounded following" }
	| { readonly edge: "preceding" | "following"; readonly offset: Expression }
);

export interface OrderItem {
	readonly expression: Expression;
	readonly descending: boolean;
	/** Undefined: PostgreSQL's default (last if ascending). */
	readonly nulls: "first" | "last" | undefined;
}

export interface SelectItem {
	readonly expression: Expression;
	readonly alias: string | undefined;
}

export interface ColumnType {
	readonly name: string;
	readonly type: TypeName;
	readonly at: number;
}

export type TableExpression =
	| {
			readonly kind: "table";
			readonly name: QualifiedName;
			readonly alias: string | undefined;
			readonly columnAliases: readonly string[];
			readonly at: number;
	  }
	| {
			readonly kind: "subquery";
			readonly query: Query;
			readonly lateral: boolean;
			readonly alias: string | undefined;
			readonly columnAliases: readonly string[];
			readonly at: number;
	  }
	| {
			readonly kind: "function";
			/** Several: ROWS FROM. */
			readonly calls: readonly Extract<Expression, { kind: "call" }>[];
			readonly lateral: boolean;
			readonly ordinality: boolean;
			readonly alias: string | undefined;
			readonly columnAliases: readonly string[];
			/** AS t(a integer, ...): what the function does not say itself. */
			readonly definitions: readonly ColumnType[] | undefined;
			readonly at: number;
	  }
	| {
			readonly kind: "join";
			readonly type: "inner" | "left" | "right" | "full" | "cross";
			readonly natural: boolean;
			readonly left: TableExpression;
			readonly right: TableExpression;
			readonly on: Expression | undefined;
			readonly using: readonly string[];
			/** Of the columns that USING names: `JOIN ... USING (a) AS x`. */
			readonly usingAlias?: string;
			readonly at: number;
	  };

export interface CommonTable {
	readonly name: string;
	readonly columns: readonly string[];
	readonly query: Query | ChangeStatement;
	/** Undefined: neither MATERIALIZED nor NOT MATERIALIZED stood there. It makes no difference but to how it is shown. */
	readonly materialized?: "always" | "never";
	readonly search?: SearchClause;
	readonly cycle?: CycleClause;
	readonly at: number;
}

/** SEARCH BREADTH FIRST BY columns SET column. */
export interface SearchClause {
	/** Else DEPTH. */
	readonly breadth: boolean;
	readonly columns: readonly string[];
	readonly column: string;
	readonly at: number;
}

/** CYCLE columns SET mark TO value DEFAULT value USING path. */
export interface CycleClause {
	readonly columns: readonly string[];
	readonly mark: string;
	/** Undefined: true and false. */
	readonly values: readonly [Expression, Expression] | undefined;
	readonly path: string;
	readonly at: number;
}

export interface SelectInto {
	readonly name: QualifiedName;
	readonly temporary: boolean;
	readonly at: number;
}

export interface Select {
	readonly kind: "select";
	readonly distinct: "all" | "distinct" | { readonly on: readonly Expression[] };
	readonly items: readonly SelectItem[];
	readonly from: readonly TableExpression[];
	/** SELECT INTO: of a statement as a whole it is a CREATE TABLE ... AS, anywhere else an error. */
	readonly into?: SelectInto;
	/** AS OF SYSTEM TIME. */
	readonly asOf?: Expression;
	readonly where: Expression | undefined;
	/** Empty where `grouping` says more. */
	readonly groupBy: readonly Expression[];
	/** GROUP BY with GROUPING SETS, ROLLUP, CUBE or (). */
	readonly grouping?: { readonly distinct: boolean; readonly elements: readonly GroupElement[] };
	readonly having: Expression | undefined;
	/** WINDOW. */
	readonly windows?: readonly NamedWindow[];
	readonly at: number;
}

/** An item of GROUP BY. A part of ROLLUP or CUBE is one expression, or several in parentheses. */
export type GroupElement =
	| { readonly kind: "set"; readonly expressions: readonly Expression[]; readonly at: number }
	| {
			readonly kind: "rollup" | "cube";
			readonly lists: readonly (readonly Expression[])[];
			readonly at: number;
	  }
	| { readonly kind: "sets"; readonly elements: readonly GroupElement[]; readonly at: number };

export interface NamedWindow {
	readonly name: string;
	readonly window: WindowDefinition;
}

export type QueryBody =
	| Select
	| {
			readonly kind: "values";
			readonly rows: readonly (readonly Expression[])[];
			readonly at: number;
	  }
	| {
			readonly kind: "set-operation";
			readonly operator: "union" | "intersect" | "except";
			readonly all: boolean;
			readonly left: Query;
			readonly right: Query;
			readonly at: number;
	  };

export interface Query {
	readonly kind: "query";
	readonly with: readonly CommonTable[];
	readonly recursive: boolean;
	readonly body: QueryBody;
	readonly orderBy: readonly OrderItem[];
	readonly limit: Expression | undefined;
	readonly offset: Expression | undefined;
	/** FETCH FIRST ... WITH TIES. */
	readonly withTies?: boolean;
	readonly locking: readonly {
		readonly strength: "update" | "no key update" | "share" | "key share";
		readonly of: readonly string[];
		readonly wait: "block" | "nowait" | "skip locked";
	}[];
	readonly at: number;
}

export interface ColumnDefinition {
	readonly name: string;
	readonly type: TypeName;
	readonly constraints: readonly ColumnConstraint[];
	readonly at: number;
}

export interface CheckClause {
	readonly condition: Expression;
	/** NO INHERIT: kept, though there are no tables that would. */
	readonly noInherit?: true;
}

/** What INCLUDING of a LIKE clause takes. */
export type LikePart =
	| "comments"
	| "compression"
	| "constraints"
	| "defaults"
	| "generated"
	| "identity"
	| "indexes"
	| "statistics"
	| "storage";

/** LIKE other INCLUDING ... */
export interface LikeClause {
	readonly table: QualifiedName;
	readonly including: readonly LikePart[];
	/** How many columns of CREATE TABLE itself stand before it. */
	readonly before: number;
	readonly at: number;
}

export interface IndexOptions {
	/** INCLUDE: columns that are no part of the key. */
	readonly include?: readonly string[];
	/** NULLS NOT DISTINCT */
	readonly nullsNotDistinct?: true;
}

export type KeyOptions = Partial<ConstraintTimes> & IndexOptions;

export type ColumnConstraint = { readonly name: string | undefined; readonly at: number } & (
	| { readonly kind: "not-null" }
	| { readonly kind: "null" }
	| { readonly kind: "default"; readonly value: Expression }
	| ({ readonly kind: "primary-key" } & KeyOptions)
	| ({ readonly kind: "unique" } & KeyOptions)
	| ({ readonly kind: "check" } & CheckClause)
	| ({
			readonly kind: "references";
			readonly table: QualifiedName;
			readonly columns: readonly string[];
	  } & ReferenceOptions)
	| { readonly kind: "identity"; readonly always: boolean; readonly options: readonly Option[] }
	/** GENERATED ALWAYS AS (...) STORED. `byDefaultAt`: where BY DEFAULT stands instead, which is an error. */
	| {
			readonly kind: "generated";
			readonly byDefaultAt: number | undefined;
			readonly expression: Expression;
	  }
);

export type DomainAction =
	| { readonly kind: "set-default"; readonly value: Expression | undefined }
	| { readonly kind: "set-not-null"; readonly notNull: boolean }
	| {
			readonly kind: "add-constraint";
			readonly constraint: ColumnConstraint;
			readonly valid: boolean;
	  }
	| { readonly kind: "drop-constraint"; readonly name: string; readonly ifExists: boolean }
	| { readonly kind: "validate-constraint"; readonly name: string }
	| { readonly kind: "rename-constraint"; readonly from: string; readonly to: string };

export type ReferentialAction = "no action" | "restrict" | "cascade" | "set null" | "set default";

/** When it is looked at; absent: at once. */
export interface ConstraintTimes {
	readonly deferrable: boolean;
	readonly initiallyDeferred: boolean;
}

export interface ReferenceOptions extends ConstraintTimes {
	readonly onDelete: ReferentialAction;
	readonly onUpdate: ReferentialAction;
	/** ON DELETE SET NULL (...), SET DEFAULT (...): only these columns. */
	readonly setColumns: readonly string[];
	/** Either all columns are NULL or none. */
	readonly matchFull: boolean;
}

/** [NOT] DEFERRABLE, or INITIALLY ...: one of the two is there. */
export interface Deferral {
	readonly kind: "deferral";
	readonly deferrable?: boolean;
	readonly deferred?: boolean;
	readonly at: number;
}

export type TableConstraint = { readonly name: string | undefined; readonly at: number } & (
	| ({
			readonly kind: "primary-key";
			readonly columns: readonly string[];
	  } & KeyOptions)
	| ({ readonly kind: "unique"; readonly columns: readonly string[] } & KeyOptions)
	/** `valid` false: NOT VALID. */
	| ({ readonly kind: "check"; readonly valid: boolean } & CheckClause)
	| ({
			readonly kind: "foreign-key";
			readonly columns: readonly string[];
			readonly table: QualifiedName;
			readonly referenced: readonly string[];
			readonly valid: boolean;
	  } & ReferenceOptions)
);

export interface IndexColumn {
	readonly expression: Expression;
	readonly collation: { readonly name: QualifiedName; readonly at: number } | undefined;
	readonly operatorClass?: QualifiedName;
	readonly descending: boolean;
	readonly nulls: "first" | "last" | undefined;
}

export type AlterTableAction =
	| {
			readonly kind: "add-column";
			readonly ifNotExists: boolean;
			readonly column: ColumnDefinition;
	  }
	| {
			readonly kind: "drop-column";
			readonly ifExists: boolean;
			readonly name: string;
			readonly cascade: boolean;
			readonly at: number;
	  }
	| { readonly kind: "add-constraint"; readonly constraint: TableConstraint }
	| {
			readonly kind: "drop-constraint";
			readonly ifExists: boolean;
			readonly name: string;
			readonly cascade: boolean;
			readonly at: number;
	  }
	| { readonly kind: "validate-constraint"; readonly name: string }
	| {
			readonly kind: "alter-constraint";
			readonly name: string;
			readonly deferrable: boolean;
			readonly initiallyDeferred: boolean;
	  }
	| { readonly kind: "rename-constraint"; readonly from: string; readonly to: string }
	| {
			readonly kind: "set-default";
			readonly column: string;
			readonly value: Expression | undefined;
			readonly at: number;
	  }
	| {
			readonly kind: "alter-type";
			readonly column: string;
			readonly type: TypeName;
			readonly using: Expression | undefined;
			readonly at: number;
	  }
	/** UNIQUE or PRIMARY KEY USING INDEX. */
	| ({
			readonly kind: "add-key-using";
			readonly name: string | undefined;
			readonly primaryKey: boolean;
			readonly index: string;
			readonly at: number;
	  } & Partial<ConstraintTimes>)
	| {
			readonly kind: "add-identity";
			readonly column: string;
			readonly always: boolean;
			readonly options: readonly Option[];
			readonly at: number;
	  }
	/** `changes`: options of its sequence, and "always". */
	| {
			readonly kind: "set-identity";
			readonly column: string;
			readonly changes: readonly Option[];
			readonly at: number;
	  }
	| {
			readonly kind: "drop-expression";
			readonly column: string;
			readonly ifExists: boolean;
			readonly at: number;
	  }
	/** What changes nothing here. `column`: which must be there. */
	| {
			readonly kind: "hint";
			readonly column: string | undefined;
			/** CLUSTER ON. */
			readonly index?: string;
			readonly at: number;
	  }
	| {
			readonly kind: "drop-identity";
			readonly column: string;
			readonly ifExists: boolean;
			readonly at: number;
	  }
	| {
			readonly kind: "set-not-null";
			readonly column: string;
			readonly notNull: boolean;
			readonly at: number;
	  }
	| {
			readonly kind: "rename-column";
			readonly from: string;
			readonly to: string;
			readonly at: number;
	  }
	/** Quorate's own: ALTER TABLE t SPLIT AT VALUES (...), (...). */
	| { readonly kind: "split-at"; readonly rows: readonly (readonly Expression[])[] }
	/** Likewise: ALTER TABLE t MERGE AT VALUES (...), (...). */
	| { readonly kind: "merge-at"; readonly rows: readonly (readonly Expression[])[] };

/** `value` undefined: DEFAULT, as it is inherited. */
export interface ConfiguredSetting {
	readonly name: string;
	readonly value: string | undefined;
	readonly at: number;
}

/** [1], [1:2]. */
export type Subscript =
	| { readonly index: Expression }
	| { readonly lower: Expression | undefined; readonly upper: Expression | undefined };

/** Of a value that something is assigned to: an element, a slice or a field. */
export type Part = Subscript | { readonly field: string };

export interface Assignment {
	readonly column: string;
	/** Of what is assigned; absent: the whole column. */
	readonly path?: readonly Part[];
	readonly value: Expression;
	readonly at: number;
}

/**
 * WITH (a = b, c) of CREATE TABLE, COPY, EXPLAIN. Values as written. COPY's old options have the new ones' names: CSV HEADER is
 * format csv, header true; FORCE QUOTE * is force_quote "*". Of CREATE SEQUENCE: as, increment, minvalue, maxvalue, start, cache,
 * restart (numbers as text; undefined: NO MINVALUE, NO MAXVALUE), cycle, owned_by (a name's parts, or none).
 */
export interface Option {
	readonly name: string;
	readonly value: string | number | boolean | readonly string[] | undefined;
	readonly at: number;
}

export interface TransactionModes {
	readonly isolation:
		| "serializable"
		| "repeatable read"
		| "read committed"
		| "read uncommitted"
		| undefined;
	readonly readOnly: boolean | undefined;
	readonly deferrable: boolean | undefined;
	/** AS OF SYSTEM TIME. */
	readonly asOf?: Expression;
	/** SET TRANSACTION SNAPSHOT, which is alone. */
	readonly snapshot?: string;
	/** SET LOCAL TRANSACTION SNAPSHOT, which PostgreSQL does not do. */
	readonly isLocal?: true;
}

/** ALTER TYPE of a composite type. */
export type AttributeAction =
	| { readonly kind: "add"; readonly attribute: ColumnType }
	| {
			readonly kind: "drop";
			readonly ifExists: boolean;
			readonly name: string;
			readonly cascade: boolean;
	  }
	| { readonly kind: "alter"; readonly name: string; readonly type: TypeName }
	| { readonly kind: "rename"; readonly from: string; readonly to: string };

/** What becomes of the rows of a temporary table, or of the table. */
export type OnCommit = "preserve" | "delete" | "drop";

export type ExecuteStatement = Extract<Statement, { kind: "execute" }>;

export type Statement = { readonly at: number } & (
	| RoleStatement
	| DatabaseStatement
	| Query
	| {
			readonly kind: "insert";
			readonly table: QualifiedName;
			readonly alias: string | undefined;
			readonly columns: readonly string[];
			readonly columnsAt: readonly number[];
			/** By column, where any has some; none: the whole column. */
			readonly path?: readonly (readonly Part[])[];
			readonly source: Query | "default values";
			/** What becomes of values for identity columns: OVERRIDING USER VALUE drops them, SYSTEM takes them. */
			readonly overriding?: "user" | "system";
			readonly onConflict: OnConflict | undefined;
			readonly returning: readonly SelectItem[];
			readonly with: readonly CommonTable[];
			readonly recursive: boolean;
	  }
	| {
			readonly kind: "update";
			readonly table: QualifiedName;
			readonly alias: string | undefined;
			readonly set: readonly Assignment[];
			readonly from: readonly TableExpression[];
			readonly where: Expression | undefined;
			/** WHERE CURRENT OF: the name of a cursor. */
			readonly currentOf?: string;
			readonly returning: readonly SelectItem[];
			readonly with: readonly CommonTable[];
			readonly recursive: boolean;
	  }
	| {
			readonly kind: "delete";
			readonly table: QualifiedName;
			readonly alias: string | undefined;
			readonly using: readonly TableExpression[];
			readonly where: Expression | undefined;
			/** WHERE CURRENT OF: the name of a cursor. */
			readonly currentOf?: string;
			readonly returning: readonly SelectItem[];
			readonly with: readonly CommonTable[];
			readonly recursive: boolean;
	  }
	| {
			readonly kind: "create-table";
			readonly name: QualifiedName;
			readonly ifNotExists: boolean;
			readonly temporary: boolean;
			readonly columns: readonly ColumnDefinition[];
			readonly likes: readonly LikeClause[];
			readonly constraints: readonly TableConstraint[];
			readonly options: readonly Option[];
			/** Undefined: nothing was said. */
			readonly onCommit: OnCommit | undefined;
			readonly as: Query | ExecuteStatement | undefined;
			/** Of what EXECUTE gives: names of its first columns. */
			readonly asNames?: readonly string[];
			/** WITH NO DATA */
			readonly withoutData?: true;
	  }
	| {
			readonly kind: "drop";
			readonly object: "table" | "index" | "sequence" | "view" | "schema" | "type" | "domain";
			/** Of an index. */
			readonly concurrently?: boolean;
			readonly names: readonly QualifiedName[];
			readonly ifExists: boolean;
			readonly cascade: boolean;
	  }
	| {
			readonly kind: "create-composite";
			readonly name: QualifiedName;
			readonly attributes: readonly ColumnType[];
	  }
	| {
			readonly kind: "alter-composite";
			readonly name: QualifiedName;
			readonly actions: readonly AttributeAction[];
	  }
	| {
			readonly kind: "create-domain";
			readonly name: QualifiedName;
			readonly type: TypeName;
			readonly constraints: readonly ColumnConstraint[];
	  }
	| {
			readonly kind: "alter-domain";
			readonly name: QualifiedName;
			readonly action: DomainAction;
	  }
	| {
			readonly kind: "create-enum";
			readonly name: QualifiedName;
			readonly labels: readonly string[];
	  }
	/** `to`: RENAME VALUE, else ADD VALUE. */
	| {
			readonly kind: "alter-enum";
			readonly name: QualifiedName;
			readonly label: string;
			readonly ifNotExists: boolean;
			/** Undefined: the end. */
			readonly place: { readonly before: boolean; readonly neighbour: string } | undefined;
			readonly to: string | undefined;
	  }
	| ({
			readonly kind: "create-index";
			readonly name: string | undefined;
			readonly ifNotExists: boolean;
			readonly unique: boolean;
			readonly concurrently: boolean;
			readonly table: QualifiedName;
			readonly method: string | undefined;
			readonly columns: readonly IndexColumn[];
			readonly where: Expression | undefined;
	  } & IndexOptions)
	| {
			readonly kind: "create-sequence";
			readonly temporary: boolean;
			readonly name: QualifiedName;
			readonly ifNotExists: boolean;
			readonly options: readonly Option[];
	  }
	| {
			readonly kind: "alter-sequence";
			readonly name: QualifiedName;
			readonly ifExists: boolean;
			readonly options: readonly Option[];
	  }
	| {
			readonly kind: "alter-table";
			readonly name: QualifiedName;
			readonly ifExists: boolean;
			readonly actions: readonly AlterTableAction[];
	  }
	/** Without a name it is the owner's. */
	| {
			readonly kind: "create-schema";
			readonly name: string | undefined;
			readonly ifNotExists: boolean;
			readonly owner: RoleReference | undefined;
			/** What is made in it, as it was written. */
			readonly elements: readonly SchemaElement[];
	  }
	| {
			readonly kind: "create-view";
			readonly replace: boolean;
			readonly temporary: boolean;
			readonly name: QualifiedName;
			readonly columns: readonly string[];
			/** Its query refers to the view itself: WITH RECURSIVE name (columns) AS (query) SELECT columns FROM name. */
			readonly recursive?: true;
			readonly query: Query;
			/** Where the query begins; it goes on to `check`, to `end`, or the end of the statement. */
			readonly queryAt: number;
			/** Of an element of CREATE SCHEMA: where the next one begins. */
			readonly end?: number;
			readonly options: readonly Option[];
			/** WITH CHECK OPTION, and where it stands. */
			readonly check: { readonly scope: "local" | "cascaded"; readonly at: number } | undefined;
	  }
	/** ALTER VIEW ... SET (...), RESET (...). */
	| {
			readonly kind: "alter-view";
			readonly name: QualifiedName;
			readonly ifExists: boolean;
			readonly options: readonly Option[];
			readonly reset: boolean;
	  }
	/** ALTER ... RENAME TO, RENAME COLUMN of views, and SET SCHEMA. */
	| {
			readonly kind: "alter-name";
			readonly object: "table" | "sequence" | "index" | "view" | "schema" | "type" | "domain";
			readonly name: QualifiedName;
			readonly ifExists: boolean;
			readonly to:
				| { readonly name: string; readonly column?: string }
				| { readonly schema: string };
	  }
	| {
			readonly kind: "truncate";
			readonly names: readonly QualifiedName[];
			readonly restartIdentity: boolean;
			readonly cascade: boolean;
	  }
	| {
			readonly kind: "copy";
			readonly table: QualifiedName | undefined;
			readonly columns: readonly string[];
			readonly query: Query | undefined;
			readonly direction: "from" | "to";
			readonly target: "stdin" | "stdout" | { readonly file: string };
			readonly options: readonly Option[];
			/** Which of the rows that come are written. */
			readonly where?: Expression;
	  }
	/** begin and start transaction differ in their command tag. */
	| {
			readonly kind: "begin";
			readonly tag: "BEGIN" | "START TRANSACTION";
			readonly modes: TransactionModes;
	  }
	/** `chain`: another transaction follows at once. */
	| { readonly kind: "commit" | "rollback"; readonly chain?: true }
	| { readonly kind: "savepoint"; readonly name: string }
	| { readonly kind: "release"; readonly name: string }
	| { readonly kind: "rollback-to"; readonly name: string }
	| {
			readonly kind: "set-transaction";
			readonly session: boolean;
			readonly modes: TransactionModes;
	  }
	/** value undefined: DEFAULT. */
	| {
			readonly kind: "set";
			readonly scope: "session" | "local";
			readonly name: string;
			readonly value: readonly string[] | undefined;
	  }
	/** No names: ALL. */
	| {
			readonly kind: "set-constraints";
			readonly names: readonly QualifiedName[];
			readonly deferred: boolean;
	  }
	/** name undefined: RESET ALL; value undefined: RESET, or DEFAULT. */
	| {
			readonly kind: "alter-system";
			readonly name: string | undefined;
			readonly value: readonly string[] | undefined;
	  }
	/** name undefined: ALL. */
	| { readonly kind: "reset"; readonly name: string | undefined }
	| { readonly kind: "show"; readonly name: string }
	/** CANCEL JOB n. */
	| { readonly kind: "cancel-job"; readonly id: number }
	/** SHOW RANGES FROM TABLE t. */
	| { readonly kind: "show-ranges"; readonly table: QualifiedName }
	/** SHOW CONFIGURATION FROM TABLE t, FROM DATABASE d. */
	| {
			readonly kind: "show-configuration";
			readonly object: "table" | "database";
			readonly name: QualifiedName;
	  }
	/** ALTER TABLE t CONFIGURE a = 1, b = DEFAULT; ALTER DATABASE d CONFIGURE .... `settings` undefined: DEFAULT, for all of them. */
	| {
			readonly kind: "configure";
			readonly object: "table" | "database";
			readonly name: QualifiedName;
			readonly settings: readonly ConfiguredSetting[] | undefined;
	  }
	| { readonly kind: "create-extension"; readonly name: string; readonly ifNotExists: boolean }
	/** DROP ... IF EXISTS of what cannot be made. `of`: the table that it would be a part of. */
	| {
			readonly kind: "drop-absent";
			readonly tag: string;
			readonly names: readonly string[];
			readonly of: QualifiedName | undefined;
	  }
	| {
			readonly kind: "drop-extension";
			readonly names: readonly string[];
			readonly ifExists: boolean;
	  }
	/** SHOW BACKUP 'directory'. */
	| { readonly kind: "show-backup"; readonly directory: string }
	| {
			readonly kind: "backup";
			readonly database: string;
			readonly directory: string;
			readonly incremental: boolean;
			readonly asOf: Expression | undefined;
	  }
	/** One of `database` and `table` is there. */
	| {
			readonly kind: "restore";
			readonly database: string | undefined;
			readonly table: QualifiedName | undefined;
			readonly directory: string;
			readonly asOf: Expression | undefined;
	  }
	| { readonly kind: "explain"; readonly options: readonly Option[]; readonly statement: Statement }
	| {
			readonly kind: "prepare";
			readonly name: string;
			readonly types: readonly TypeName[];
			readonly statement: Statement;
	  }
	| { readonly kind: "execute"; readonly name: string; readonly args: readonly Expression[] }
	| { readonly kind: "deallocate"; readonly name: string | undefined }
	/** `options` as written: what excludes each other is told when it runs, as PostgreSQL does. */
	| {
			readonly kind: "declare";
			readonly name: string;
			readonly options: readonly CursorOption[];
			readonly hold: boolean;
			readonly query: Query;
	  }
	| {
			readonly kind: "fetch";
			readonly name: string;
			/** MOVE: rows are passed by. */
			readonly move: boolean;
			readonly direction: FetchDirection;
	  }
	/** Undefined: ALL. */
	| { readonly kind: "close"; readonly name: string | undefined }
	| { readonly kind: "listen"; readonly channel: string }
	/** Undefined: all of them. */
	| { readonly kind: "unlisten"; readonly channel: string | undefined }
	| { readonly kind: "notify"; readonly channel: string; readonly payload: string }
	| { readonly kind: "discard"; readonly what: "all" | "plans" | "sequences" | "temp" }
	/** VACUUM, ANALYZE: accepted; `tag` is the command tag. `tables` are checked for existence. */
	| {
			readonly kind: "maintenance";
			readonly tag: "VACUUM" | "ANALYZE" | "CHECKPOINT";
			readonly tables: readonly QualifiedName[];
	  }
	/** LOCK TABLE ... IN `mode` MODE. */
	| { readonly kind: "lock"; readonly tables: readonly QualifiedName[]; readonly mode: string }
	/** `name` of a column ends with the column's; `table`: of a constraint. `text` undefined: NULL. */
	| {
			readonly kind: "comment";
			readonly object:
				| "table"
				| "column"
				| "index"
				| "sequence"
				| "constraint"
				| "schema"
				| "view"
				| "type"
				| "domain"
				| "database"
				| "role"
				| "extension";
			readonly name: QualifiedName;
			readonly table: QualifiedName | undefined;
			readonly text: string | undefined;
	  }
);

/** As written: a name, or CURRENT_USER and SESSION_USER. */
export type RoleReference =
	| { readonly kind: "name"; readonly name: string }
	| { readonly kind: "current" }
	| { readonly kind: "session" };

/** Flags by their positive name; "password" (undefined: NULL), "connection limit", "valid until"; those with roles: "in", "members", "admin". */
export interface RoleOption {
	readonly name: string;
	readonly value: string | number | boolean | undefined;
	readonly roles?: readonly RoleReference[];
	readonly at: number;
}

/** SELECT, UPDATE (a, b), ALL; `columns` empty: of the whole. Names as written, folded. */
export interface Right {
	readonly name: string;
	readonly columns: readonly string[];
	readonly at: number;
}

export interface GrantTarget {
	readonly kind:
		| "table"
		| "sequence"
		| "schema"
		| "database"
		| "type"
		| "domain"
		| "all tables"
		| "all sequences";
	/** Of objects; of schemas for the kinds with "all". */
	readonly names: readonly QualifiedName[];
}

export interface DatabaseOption {
	/** As written, in lower case where it was not quoted. */
	readonly name: string;
	/** Undefined: DEFAULT. */
	readonly value: string | undefined;
	readonly at: number;
}

export type DatabaseStatement =
	| {
			readonly kind: "create-database";
			readonly name: string;
			readonly options: readonly DatabaseOption[];
	  }
	| {
			readonly kind: "alter-database";
			readonly name: string;
			readonly options: readonly DatabaseOption[];
	  }
	| { readonly kind: "rename-database"; readonly from: string; readonly to: string }
	| {
			readonly kind: "drop-database";
			readonly name: string;
			readonly ifExists: boolean;
			readonly force: boolean;
	  };

export type RoleStatement =
	| {
			readonly kind: "create-role";
			readonly tag: "ROLE" | "USER" | "GROUP";
			readonly name: string;
			readonly options: readonly RoleOption[];
	  }
	| {
			readonly kind: "alter-role";
			readonly role: RoleReference;
			readonly options: readonly RoleOption[];
	  }
	| { readonly kind: "rename-role"; readonly from: string; readonly to: string }
	/** ALTER ROLE and ALTER DATABASE ... SET, RESET. */
	| {
			readonly kind: "alter-settings";
			readonly tag: "ROLE" | "DATABASE";
			/** Undefined: of all. */
			readonly role: RoleReference | undefined;
			readonly database: string | undefined;
			/** Undefined: all of them. */
			readonly name: string | undefined;
			/** Undefined: none any more. */
			readonly value: readonly string[] | undefined;
			/** What the session has. */
			readonly fromCurrent?: true;
	  }
	| {
			readonly kind: "drop-role";
			readonly tag: "ROLE" | "USER" | "GROUP";
			readonly ifExists: boolean;
			readonly roles: readonly RoleReference[];
	  }
	/** GRANT and REVOKE of roles. `admin`: WITH ADMIN OPTION, ADMIN OPTION FOR. */
	| {
			readonly kind: "membership";
			readonly verb: "grant" | "revoke";
			readonly roles: readonly string[];
			readonly members: readonly RoleReference[];
			readonly admin: boolean;
			readonly cascade: boolean;
			readonly tag?: string;
	  }
	/** ALTER DEFAULT PRIVILEGES. */
	| {
			readonly kind: "default-rights";
			readonly verb: "grant" | "revoke";
			/** Undefined: of whoever says it. */
			readonly roles: readonly RoleReference[] | undefined;
			/** Undefined: in all of them. */
			readonly schemas: readonly string[] | undefined;
			readonly rights: readonly Right[];
			readonly on: "table" | "sequence" | "schema" | "type" | "function";
			readonly grantees: readonly RoleReference[];
			readonly grantable: boolean;
	  }
	/** GRANT and REVOKE on objects. `grantable`: WITH GRANT OPTION, GRANT OPTION FOR. */
	| {
			readonly kind: "grant";
			readonly verb: "grant" | "revoke";
			readonly rights: readonly Right[];
			readonly target: GrantTarget;
			readonly grantees: readonly RoleReference[];
			readonly grantable: boolean;
			readonly cascade: boolean;
	  }
	| {
			readonly kind: "alter-owner";
			readonly object:
				| "table"
				| "sequence"
				| "index"
				| "view"
				| "schema"
				| "database"
				| "type"
				| "domain";
			readonly name: QualifiedName;
			readonly ifExists: boolean;
			readonly owner: RoleReference;
	  }
	| {
			readonly kind: "drop-owned";
			readonly roles: readonly RoleReference[];
			readonly cascade: boolean;
	  }
	| {
			readonly kind: "reassign-owned";
			readonly roles: readonly RoleReference[];
			readonly to: RoleReference;
	  };

export type CursorOption = "no scroll" | "scroll" | "insensitive" | "asensitive" | "binary";

/** NEXT is forward 1, PRIOR backward 1, FIRST absolute 1, LAST absolute -1. */
export interface FetchDirection {
	readonly way: "forward" | "backward" | "absolute" | "relative";
	readonly count: number | "all";
}

export type SchemaElement = Extract<
	Statement,
	{ kind: "create-table" | "create-index" | "create-sequence" | "create-view" | "grant" }
>;

export type ChangeStatement = Extract<Statement, { kind: "insert" | "update" | "delete" }>;

export interface OnConflict {
	readonly target: readonly Expression[];
	readonly targetAt: number;
	/** ON CONFLICT (...) WHERE: what the predicate of an index has to follow from, if it is partial. */
	readonly targetWhere?: Expression;
	readonly constraint: string | undefined;
	readonly at: number;
	readonly action:
		| "nothing"
		| { readonly set: readonly Assignment[]; readonly where: Expression | undefined };
}
