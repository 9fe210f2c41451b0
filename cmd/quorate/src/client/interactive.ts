/** The shell at a terminal: prompt, history, statements over several lines, Ctrl-C. */
import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Shell } from "./shell.ts";
import { StatementSplitter } from "./statement-splitter.ts";

const historyLinesMax = 1000;

/** Resolves when the user leaves or the connection is lost; true unless it was lost. */
export async function runInteractive(shell: Shell): Promise<boolean> {
	const historyFile = process.env["QUORATE_HISTORY"] ?? join(homedir(), ".quorate_history");
	const terminal = createInterface({
		input: process.stdin,
		output: process.stdout,
		terminal: true,
		history: readHistory(historyFile),
		historySize: historyLinesMax,
		removeHistoryDuplicates: true,
	});
	let history: readonly string[] = [];
	terminal.on("history", (lines: string[]) => {
		history = withoutSecrets(lines);
	});
	await new Session(shell, terminal).run();
	if (history.length > 0) {
		writeHistory(historyFile, history);
	}
	if (!shell.client.connected && !shell.quitting) {
		console.error("quorate: the connection to the server was lost");
		return false;
	}
	return true;
}

class Session {
	readonly #shell: Shell;
	readonly #terminal: Interface;
	readonly #splitter = new StatementSplitter();
	#running = false;
	/** Lines are handled in order, also when several are pasted. */
	#last: Promise<void> = Promise.resolve();

	constructor(shell: Shell, terminal: Interface) {
		this.#shell = shell;
		this.#terminal = terminal;
	}

	async run(): Promise<void> {
		const closed = new Promise<void>((resolve) => this.#terminal.once("close", resolve));
		this.#terminal.on("line", (line) => {
			this.#last = this.#last.then(() => this.#line(line));
		});
		this.#terminal.on("SIGINT", () => this.#interrupt());
		this.#prompt();
		await closed;
		await this.#last;
		if (!this.#shell.quitting) {
			process.stdout.write("\n");
		}
	}

	async #line(line: string): Promise<void> {
		if (this.#shell.quitting) {
			return;
		}
		this.#running = true;
		if (this.#splitter.empty && line.trimStart().startsWith("\\")) {
			await this.#shell.command(line);
		} else if (this.#splitter.empty && /^\s*(help|quit|exit)\s*;?\s*$/i.test(line)) {
			await this.#shell.command(/help/i.test(line) ? "\\?" : "\\q");
		} else {
			for (const statement of this.#splitter.push(`${line}\n`)) {
				await this.#shell.statement(statement);
			}
		}
		this.#running = false;
		if (this.#shell.quitting || !this.#shell.client.connected) {
			this.#terminal.close();
		} else {
			this.#prompt();
		}
	}

	#interrupt(): void {
		if (this.#running) {
			this.#shell.client.cancel().catch((error: unknown) => console.error(`quorate: ${error}`));
			return;
		}
		this.#splitter.take();
		process.stdout.write("\n");
		this.#prompt();
	}

	/** As psql: `db=>`, `db->` inside a statement, with `*` in a transaction and `!` in a failed one. */
	#prompt(): void {
		const { client } = this.#shell;
		const transaction = { I: "", T: "*", E: "!" }[client.transactionStatus] ?? "";
		const more = this.#splitter.empty ? "=" : "-";
		this.#terminal.setPrompt(`${client.options.database}${more}${transaction}> `);
		this.#terminal.prompt();
	}
}

/** A password on a line would lie in the file for good. */
export const withoutSecrets = (lines: readonly string[]): readonly string[] =>
	lines.filter((line) => !/password/i.test(line));

/** Newest first, as readline keeps it; the file has the oldest first, so that it reads naturally. */
function readHistory(file: string): string[] {
	try {
		const lines = readFileSync(file, "utf8").split("\n");
		return lines.filter((line) => line !== "").reverse();
	} catch {
		return [];
	}
}

function writeHistory(file: string, history: readonly string[]): void {
	try {
		writeFileSync(file, `${[...history].reverse().join("\n")}\n`, { mode: 0o600 });
	} catch (error) {
		console.error(`quorate: cannot keep the history: ${(error as Error).message}`);
	}
}
