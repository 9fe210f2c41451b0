/** Statements that change the schema: each runs in the session's transaction, and again if the schema moved under it. */
import { DatabaseError } from "@quorate/keys/database-error";
import { alterSequence } from "../ddl/alter-sequence.ts";
import { alterTable } from "../ddl/alter-table.ts";
import { commentOn } from "../ddl/comment.ts";
import { alterComposite, createComposite } from "../ddl/composites.ts";
import { configure } from "../ddl/configure.ts";
import { createIndex } from "../ddl/create-index.ts";
import { createTable } from "../ddl/create-table.ts";
import { changeDatabases } from "../ddl/databases.ts";
import { alterDomain, createDomain } from "../ddl/domains.ts";
import { drop, truncate } from "../ddl/drop.ts";
import { alterEnum, createEnum } from "../ddl/enums.ts";
import { alterName } from "../ddl/rename.ts";
import { changeRoles } from "../ddl/roles.ts";
import { SchemaEditor } from "../ddl/schema-editor.ts";
import { createSchema } from "../ddl/schemas.ts";
import { createSequence } from "../ddl/sequences.ts";
import { alterView } from "../ddl/view-options.ts";
import { createView } from "../ddl/views.ts";
import { SchemaMovedError } from "../execute/statement-store.ts";
import type { DatabaseStatement, RoleStatement, Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { isConflict } from "./retry.ts";
import { schemaChanges } from "./schema-reliance.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import { FenceRaisedError } from "./write-fence.ts";

export type Definition = Extract<
	Statement,
	{
		kind:
			| "create-table"
			| "drop"
			| "create-index"
			| "create-sequence"
			| "alter-name"
			| "alter-view"
			| "alter-sequence"
			| "alter-table"
			| "create-schema"
			| "create-view"
			| "create-enum"
			| "alter-enum"
			| "create-composite"
			| "alter-composite"
			| "create-domain"
			| "alter-domain"
			| "truncate"
			| "comment"
			| "configure"
			| DatabaseStatement["kind"]
			| RoleStatement["kind"];
	}
>;

const names: Readonly<Record<Definition["kind"], string>> = {
	"create-table": "CREATE TABLE",
	drop: "DROP",
	"create-index": "CREATE INDEX",
	"create-sequence": "CREATE SEQUENCE",
	"create-schema": "CREATE SCHEMA",
	"alter-view": "ALTER VIEW",
	"create-view": "CREATE VIEW",
	"create-enum": "CREATE TYPE",
	"alter-enum": "ALTER TYPE",
	"create-composite": "CREATE TYPE",
	"alter-composite": "ALTER TYPE",
	"create-domain": "CREATE DOMAIN",
	"alter-domain": "ALTER DOMAIN",
	"alter-name": "ALTER",
	"alter-sequence": "ALTER SEQUENCE",
	"alter-table": "ALTER TABLE",
	truncate: "TRUNCATE TABLE",
	comment: "COMMENT",
	configure: "CONFIGURE",
	"create-database": "CREATE DATABASE",
	"alter-database": "ALTER DATABASE",
	"rename-database": "ALTER DATABASE",
	"drop-database": "DROP DATABASE",
	"create-role": "CREATE ROLE",
	"alter-role": "ALTER ROLE",
	"rename-role": "ALTER ROLE",
	"alter-settings": "ALTER ROLE",
	"drop-role": "DROP ROLE",
	membership: "GRANT ROLE",
	grant: "GRANT",
	"default-rights": "ALTER DEFAULT PRIVILEGES",
	"alter-owner": "ALTER TABLE",
	"drop-owned": "DROP OWNED",
	"reassign-owned": "REASSIGN OWNED",
};

export const isDefinition = (statement: Statement): statement is Definition =>
	statement.kind in names;

/** What they take from the catalog is noted: tables, and what belongs to them. */
export const isOfTables = ({ kind }: Statement): boolean => kind === "truncate";

const attemptsMax = 8;

export async function runDefinition(
	state: SessionState,
	block: TransactionBlock,
	statement: Definition,
	lexed: LexedStatement,
): Promise<string> {
	const { characteristics } = block;
	if (characteristics.readOnly) {
		throw new DatabaseError(
			"25006",
			`cannot execute ${names[statement.kind]} in a read-only transaction`,
		);
	}
	const transaction = await state.openWithTemporary(block);
	for (let attempt = 1; ; attempt++) {
		transaction.beginStatement(state.cancel);
		// What a schema change reads of tables has to hold when it commits.
		transaction.holdReads();
		// S2: what is there, and what is not, is as of now.
		await transaction.readTimestamp();
		const base = await state.baseOf(block, transaction);
		const use = await state.relianceOf(block);
		await state.catalogOf(block, transaction);
		const savepoint = transaction.savepoint();
		const { changes } = block;
		const tasks = block.afterCommit.length;
		try {
			const tag = await apply(new SchemaEditor(state, block, transaction, base), statement, lexed);
			if (!isOfTables(statement)) use.isUnknown = true;
			// The schema may have changed meanwhile. It begins anew then with all its locks, and is not overtaken again.
			if (block.isAlone) await state.settleSchema(block, transaction);
			return tag;
		} catch (error) {
			const isFenced = error instanceof FenceRaisedError;
			const isMoved = error instanceof SchemaMovedError && attempt < attemptsMax;
			const mayRestart = transaction.canRestartStatement && !block.hasLasting;
			const conflict = isConflict(error) && mayRestart && attempt < attemptsMax ? error : undefined;
			if (!isFenced && !isMoved && conflict === undefined) throw error;
			if (mayRestart && !isMoved) {
				// Whatever was written before writers were kept out is to be seen.
				transaction.restart(conflict ?? schemaChanges());
				block.reliance.forget();
			} else await transaction.rollbackTo(savepoint);
			block.changes = changes;
			block.afterCommit.length = tasks;
		}
	}
}

function apply(
	editor: SchemaEditor,
	statement: Definition,
	lexed: LexedStatement,
): Promise<string> {
	switch (statement.kind) {
		case "create-table":
			return createTable(editor, statement, lexed);
		case "drop":
			return drop(editor, statement);
		case "create-index":
			return createIndex(editor, statement);
		case "create-sequence":
			return createSequence(editor, statement);
		case "create-schema":
			return createSchema(editor, statement, (element) => apply(editor, element, lexed));
		case "create-view":
			return createView(editor, statement, lexed);
		case "create-enum":
			return createEnum(editor, statement);
		case "alter-enum":
			return alterEnum(editor, statement);
		case "create-composite":
			return createComposite(editor, statement);
		case "alter-composite":
			return alterComposite(editor, statement);
		case "create-domain":
			return createDomain(editor, statement);
		case "alter-domain":
			return alterDomain(editor, statement);
		case "create-database":
		case "alter-database":
		case "rename-database":
		case "drop-database":
			return changeDatabases(editor, statement);
		case "alter-sequence":
			return alterSequence(editor, statement);
		case "alter-view":
			return alterView(editor, statement);
		case "alter-name":
			return alterName(editor, statement);
		case "alter-table":
			return alterTable(editor, statement);
		case "comment":
			return commentOn(editor, statement);
		case "configure":
			return configure(editor, statement);
		case "truncate":
			return truncate(editor, statement);
		default:
			return changeRoles(editor, statement);
	}
}
