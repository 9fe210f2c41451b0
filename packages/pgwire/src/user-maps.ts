/**
 * As whom the holder of a certificate may connect: PostgreSQL's pg_ident.conf, lines of a map's name, the name in the certificate and
 * the user's name. A name that begins with a slash is a regular expression; \1 in the user's name is what its first group has matched.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { matcherOf, regularExpression } from "@quorate/sql/types/regular-expression";
import { invalidLine, type ReadNamed, readTokens } from "./hba-tokens.ts";

export interface UserMapLine {
	readonly map: string;
	readonly certified: string;
	/** Undefined: the name as it is. */
	readonly pattern: ReturnType<typeof regularExpression> | undefined;
	readonly user: string;
}

/** Throws F0000, which names the line. */
export async function parseUserMaps(
	text: string,
	read: ReadNamed,
): Promise<readonly UserMapLine[]> {
	const lines: UserMapLine[] = [];
	for (const { line, fields } of await readTokens(text, read)) {
		for (const field of fields) {
			if (field.length !== 1) throw invalidLine(line, "multiple values in ident field");
		}
		const [map, certified, user] = fields.map(([token]) => token!.text);
		if (map === undefined || certified === undefined || user === undefined) {
			throw invalidLine(line, "missing entry at end of line");
		}
		const pattern = patternOf(certified, line);
		if (user.includes("\\1") && pattern !== undefined && pattern.groupCount() === 0) {
			throw invalidLine(line, `"${certified}" has no group that "${user}" could stand for`);
		}
		lines.push({ map, certified, pattern, user });
	}
	return lines;
}

function patternOf(certified: string, line: number): UserMapLine["pattern"] {
	if (!certified.startsWith("/")) return undefined;
	try {
		return regularExpression(certified.slice(1), "");
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		throw invalidLine(line, error.message);
	}
}

/** `lines`: of one map; undefined: without a map the names have to be the same. */
export function mayConnectAs(
	lines: readonly UserMapLine[] | undefined,
	certified: string,
	user: string,
): boolean {
	if (lines === undefined) return certified === user;
	return lines.some((line) => userOf(line, certified) === user);
}

/** Undefined: the line is about another name. */
function userOf(line: UserMapLine, certified: string): string | undefined {
	if (line.pattern === undefined) return line.certified === certified ? line.user : undefined;
	const matcher = matcherOf(line.pattern, certified, false);
	if (!matcher.find()) return undefined;
	if (!line.user.includes("\\1")) return line.user;
	// As PostgreSQL: once.
	return line.user.replace("\\1", () => matcher.group(1) ?? "");
}
