/** Statements that do not come from a person: `-c`, and standard input. The first failure ends the run. */
import type { Shell } from "./shell.ts";
import { StatementSplitter } from "./statement-splitter.ts";

/** Each string is sent as it is: one query, all its statements one implicit transaction. True if all went well. */
export async function runStrings(shell: Shell, texts: readonly string[]): Promise<boolean> {
	for (const text of texts) {
		const fine = text.trimStart().startsWith("\\")
			? await shell.command(text)
			: await shell.statement(text);
		if (!fine || shell.quitting) {
			return fine;
		}
	}
	return true;
}

/** Statement by statement, as the text comes in. */
export async function runStream(
	shell: Shell,
	pieces: AsyncIterable<string | Buffer>,
): Promise<boolean> {
	const splitter = new StatementSplitter();
	let pending = "";
	for await (const piece of decoded(pieces)) {
		pending += piece;
		const end = pending.lastIndexOf("\n") + 1;
		const whole = pending.slice(0, end);
		pending = pending.slice(end);
		if (!(await runLines(shell, splitter, whole))) {
			return false;
		}
		if (shell.quitting) {
			return true;
		}
	}
	if (!(await runLines(shell, splitter, pending))) {
		return false;
	}
	const rest = splitter.take();
	return rest === "" || shell.quitting || shell.statement(rest);
}

async function runLines(shell: Shell, splitter: StatementSplitter, text: string): Promise<boolean> {
	const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
	for (const line of lines) {
		if (splitter.empty && line.trimStart().startsWith("\\")) {
			splitter.take();
			if (!(await shell.command(line)) || shell.quitting) {
				return shell.quitting;
			}
			continue;
		}
		for (const statement of splitter.push(line)) {
			if (!(await shell.statement(statement))) {
				return false;
			}
		}
	}
	return true;
}

/** Characters whole, wherever the bytes were cut. */
async function* decoded(pieces: AsyncIterable<string | Buffer>): AsyncIterable<string> {
	const decoder = new TextDecoder();
	for await (const piece of pieces) {
		yield typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
	}
	yield decoder.decode();
}
