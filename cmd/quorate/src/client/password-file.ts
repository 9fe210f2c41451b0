/** Passwords that a user keeps in a file, in PostgreSQL's form: host:port:database:user:password, * for any, \ before a : or \. */
import { readFileSync, statSync } from "node:fs";

export interface Login {
	readonly host: string;
	readonly port: number;
	readonly database: string;
	readonly user: string;
}

function fieldsOf(line: string): string[] {
	const fields: string[] = [];
	let field = "";
	for (let i = 0; i < line.length; i++) {
		if (line[i] === ":" && fields.length < 4) {
			fields.push(field);
			field = "";
		} else {
			const isEscape = line[i] === "\\" && i + 1 < line.length;
			field += isEscape ? line[++i] : line[i];
		}
	}
	return [...fields, field];
}

/** The password of the first line that fits. */
export function passwordIn(text: string, login: Login): string | undefined {
	const wanted = [login.host, String(login.port), login.database, login.user];
	for (const line of text.split(/\r?\n/)) {
		if (line.startsWith("#")) continue;
		const fields = fieldsOf(line);
		const fits = fields.length === 5 && wanted.every((part, i) => [part, "*"].includes(fields[i]!));
		if (fits) return fields[4];
	}
	return undefined;
}

/** Undefined where there is no such file, or others may read it; `warn` is told of that. */
export function passwordFromFile(
	path: string,
	login: Login,
	warn: (line: string) => void,
): string | undefined {
	try {
		if ((statSync(path).mode & 0o077) !== 0) {
			warn(`${path} is not used: others can read it (chmod 600 ${path})`);
			return undefined;
		}
		return passwordIn(readFileSync(path, "utf8"), login);
	} catch {
		return undefined;
	}
}
