// Reads psql's output for the expressions of $FILE on stdin and writes the file with the answers filled in.
import { readFileSync } from "node:fs";

const answers = readFileSync(0, "utf8")
	.split("@@begin\n")
	.slice(1)
	.map((part) => part.split("@@end")[0])
	.map((part) => {
		const [description, rest = ""] = part.split("@@value\n");
		const error = /@@error (\S+): ([\s\S]*)$/.exec(rest);
		if (error !== null) {
			return `ERROR ${error[1]}: ${error[2].trimEnd()}`;
		}
		const type = description.split(" ; ")[0].trim().split("|").slice(1).join("|");
		return `${type}: ${rest.replace(/\n$/, "").replace(/\n$/, "")}`;
	})
	.map((answer) => answer.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"));

const out = [];
for (const line of readFileSync(process.env.FILE, "utf8").replace(/\n$/, "").split("\n")) {
	if (line.startsWith("\t")) {
		continue;
	}
	out.push(line);
	if (line !== "" && !line.startsWith("#") && !line.startsWith("set ")) {
		out.push(`\t${answers.shift()}`);
	}
}
process.stdout.write(`${out.join("\n")}\n`);
