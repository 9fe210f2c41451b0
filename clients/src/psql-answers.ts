/** What psql shows for a list of commands, one after the other in one session. */
import { spawn } from "node:child_process";

export interface Answer {
	readonly command: string;
	readonly shown: string;
	/** Lines before it, each with its #. */
	readonly remark?: string;
}

const head = "=> ";

/** As files hold them: `=> command`, and what it shows until the next one. */
export function parseAnswers(text: string): readonly Answer[] {
	const answers: Answer[] = [];
	for (const block of text
		.split(/(?<!^#.*\n)^(?=(?:#.*\n)*=> )/m)
		.filter((one) => one.includes(head))) {
		const remark = /^(?:#.*\n)*/.exec(block)![0];
		const [command = "", ...lines] = block.slice(remark.length + head.length).split("\n");
		answers.push({ command, shown: lines.join("\n").trimEnd(), remark });
	}
	return answers;
}

export const renderAnswers = (answers: readonly Answer[]): string =>
	answers
		.map(({ command, shown, remark = "" }) => `${remark}${head}${command}\n${shown}\n`)
		.join("\n");

const quoted = (text: string): string =>
	`'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** What psql says to a script. `url`: also libpq's other form. */
export async function psqlOutput(url: string, script: string): Promise<string> {
	const child = spawn("sh", ["-c", 'exec psql -X -f - "$0" 2>&1', url], {
		env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", HOME: "/nonexistent", PAGER: "cat" },
	});
	let out = "";
	child.stdout.setEncoding("utf8").on("data", (text) => {
		out += text;
	});
	child.stdin.end(script);
	await new Promise((resolve) => child.once("close", resolve));
	// Which line of the script, and of which server's source, is of no interest, nor is when \watch looked.
	return out
		.replaceAll(/^psql:<stdin>:\d+: /gm, "")
		.replaceAll(/^LOCATION: .*\n/gm, "")
		.replaceAll(/^.* (?=\(every \S+\)$)/gm, "");
}

export async function psqlAnswers(
	url: string,
	commands: readonly string[],
): Promise<readonly Answer[]> {
	const script = commands.map((one) => `\\echo ${quoted(head + one)}\n${one}\n`).join("");
	return parseAnswers(await psqlOutput(url, script));
}
