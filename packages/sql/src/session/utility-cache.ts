/**
 * Syntax trees of statements without literals that are not planned: BEGIN, COMMIT, SET ... Of one node: where its sessions run, what
 * another node has parsed must not show, or a simulation would go otherwise the second time.
 */
import type { Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";

const statementsMax = 500;
const textLengthMax = 200;

const unkept: ReadonlySet<Statement["kind"]> = new Set<Statement["kind"]>([
	// Passwords are not kept longer than it takes.
	"create-role",
	"alter-role",
	// They say where in the text a query stands, which comments move and the shape does not show.
	"create-view",
	"create-schema",
]);

export class UtilityCache {
	readonly #statements = new Map<string, Statement>();

	find(lexed: LexedStatement): Statement | undefined {
		return this.#statements.get(lexed.shape);
	}

	add(lexed: LexedStatement, statement: Statement): void {
		if (lexed.literals.length > 0 || lexed.text.length > textLengthMax) return;
		if (unkept.has(statement.kind)) return;
		if (this.#statements.size >= statementsMax) this.#statements.clear();
		this.#statements.set(lexed.shape, statement);
	}
}
