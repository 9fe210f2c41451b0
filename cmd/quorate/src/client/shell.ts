/**
 * Runs statements and backslash commands against one connection and writes what comes back. It knows nothing of
 * terminals: `interactive.ts` and `batch.ts` feed it.
 */
import { formatMessage } from "./message-format.ts";
import { runCommand, type ShellState } from "./meta-commands.ts";
import { type PgClient, ServerError } from "./pg-client.ts";
import { formatResult } from "./table-format.ts";

export interface ShellOutput {
	out(text: string): void;
	err(text: string): void;
	/** Milliseconds, for \timing. */
	now(): number;
}

export class Shell {
	readonly client: PgClient;
	readonly #output: ShellOutput;
	readonly #state: ShellState = { timing: false };
	quitting = false;

	constructor(client: PgClient, output: ShellOutput) {
		this.client = client;
		this.#output = output;
		client.onNotice = (notice) => this.#lines(formatMessage(notice), true);
	}

	/** Whether it went well. Never rejects. */
	async statement(text: string): Promise<boolean> {
		const began = this.#output.now();
		const done = await this.#guard(text, async () => {
			await this.client.run(text, {
				result: (result) => {
					const lines = formatResult(result);
					this.#lines(result.fields === undefined ? lines : [...lines, ""]);
				},
				copyData: (chunk) => this.#output.out(chunk.toString()),
			});
			return true;
		});
		if (this.#state.timing) {
			this.#lines([`Time: ${(this.#output.now() - began).toFixed(3)} ms`]);
		}
		return done;
	}

	/** A line that begins with a backslash. */
	command(line: string): Promise<boolean> {
		return this.#guard(undefined, async () => {
			const outcome = await runCommand(line, this.client, this.#state);
			this.quitting ||= outcome.quit === true;
			this.#lines(outcome.lines, outcome.failed === true);
			return outcome.failed !== true;
		});
	}

	async #guard(statement: string | undefined, task: () => Promise<boolean>): Promise<boolean> {
		try {
			return await task();
		} catch (error) {
			if (error instanceof ServerError) {
				this.#lines(formatMessage(error, statement), true);
			} else {
				this.#lines([`quorate: ${error instanceof Error ? error.message : String(error)}`], true);
			}
			return false;
		}
	}

	#lines(lines: readonly string[], toError = false): void {
		if (lines.length > 0) {
			const text = `${lines.join("\n")}\n`;
			if (toError) {
				this.#output.err(text);
			} else {
				this.#output.out(text);
			}
		}
	}
}
