/**
 * Finds the end of statements in text that arrives in pieces: a semicolon outside strings, quoted names,
 * dollar quotes, comments and parentheses, by PostgreSQL's lexical rules.
 */
export class StatementSplitter {
	#text = "";
	/** Everything before was looked at and holds no end. */
	#at = 0;
	#depth = 0;

	/** Statements that the piece completed, each with its semicolon, in order. */
	push(piece: string): string[] {
		this.#text += piece;
		const statements: string[] = [];
		for (;;) {
			const end = this.#scan();
			if (end === undefined) {
				return statements;
			}
			const statement = this.#text.slice(0, end).trim();
			this.#text = this.#text.slice(end);
			this.#at = 0;
			this.#depth = 0;
			if (statement !== ";") {
				statements.push(statement);
			}
		}
	}

	/** What is left, without its end; the splitter is empty after it. */
	take(): string {
		const rest = this.#text.trim();
		this.#text = "";
		this.#at = 0;
		this.#depth = 0;
		return withoutComments(rest) === "" ? "" : rest;
	}

	/** True where nothing but space was begun. */
	get empty(): boolean {
		return this.#text.trim() === "";
	}

	#scan(): number | undefined {
		while (this.#at < this.#text.length) {
			const char = this.#text[this.#at]!;
			if (char === ";" && this.#depth === 0) {
				return this.#at + 1;
			}
			if (char === "(") {
				this.#depth++;
			} else if (char === ")") {
				this.#depth = Math.max(0, this.#depth - 1);
			}
			const next = skipToken(this.#text, this.#at);
			if (next === undefined) {
				// Unfinished: looked at again, from its start, when more has come.
				return undefined;
			}
			this.#at = next;
		}
		return undefined;
	}
}

/** Where the token at `at` ends; undefined if its end has not come. */
function skipToken(text: string, at: number): number | undefined {
	const char = text[at]!;
	if (char === "'") {
		const escapes = /(^|[^A-Za-z0-9_$])[eE]$/.test(text.slice(Math.max(0, at - 2), at));
		return skipQuoted(text, at, "'", escapes);
	}
	if (char === '"') {
		return skipQuoted(text, at, '"', false);
	}
	if (text.startsWith("--", at)) {
		const end = text.indexOf("\n", at);
		return end < 0 ? undefined : end + 1;
	}
	if (text.startsWith("/*", at)) {
		return skipBlockComment(text, at);
	}
	if (char === "$" && !/[A-Za-z0-9_$\u0080-\uffff]/.test(text[at - 1] ?? " ")) {
		return skipDollarQuote(text, at);
	}
	return at + 1;
}

function skipQuoted(text: string, at: number, quote: string, escapes: boolean): number | undefined {
	for (let index = at + 1; index < text.length; index++) {
		if (escapes && text[index] === "\\") {
			index++;
		} else if (text[index] === quote) {
			if (text[index + 1] !== quote) {
				return index + 1;
			}
			index++;
		}
	}
	return undefined;
}

function skipBlockComment(text: string, at: number): number | undefined {
	let depth = 0;
	for (let index = at; index < text.length; index++) {
		if (text.startsWith("/*", index)) {
			depth++;
			index++;
		} else if (text.startsWith("*/", index)) {
			depth--;
			index++;
			if (depth === 0) {
				return index + 1;
			}
		}
	}
	return undefined;
}

function skipDollarQuote(text: string, at: number): number | undefined {
	const tag = /^\$([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/.exec(
		text.slice(at, at + 80),
	);
	if (tag === null) {
		return at + 1;
	}
	const end = text.indexOf(tag[0], at + tag[0].length);
	return end < 0 ? undefined : end + tag[0].length;
}

/** Only to tell whether anything but comments is left. */
function withoutComments(text: string): string {
	let rest = text;
	for (;;) {
		rest = rest.trim();
		if (rest.startsWith("--")) {
			const end = rest.indexOf("\n");
			rest = end < 0 ? "" : rest.slice(end + 1);
		} else if (rest.startsWith("/*")) {
			const end = skipBlockComment(rest, 0);
			if (end === undefined) {
				return rest;
			}
			rest = rest.slice(end);
		} else {
			return rest;
		}
	}
}
