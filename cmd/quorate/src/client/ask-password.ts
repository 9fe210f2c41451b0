/** Asks at the terminal for what must not be seen. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

export async function askPassword(prompt: string): Promise<string> {
	process.stderr.write(prompt);
	const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
	const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
	try {
		return await terminal.question("");
	} finally {
		terminal.close();
		process.stderr.write("\n");
	}
}
