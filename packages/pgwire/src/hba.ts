/**
 * Who may connect from where, and how they prove who they are: PostgreSQL's pg_hba.conf. The first rule that fits a connection
 * decides; where none fits it is refused. `local` rules are read and fit nothing, since there are no sockets of that kind here.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { AddressRange, ipVersion } from "@quorate/runtime/address-range";

export type AuthMethod = "trust" | "reject" | "scram-sha-256" | "cert";

interface Token {
	readonly text: string;
	/** In quotes a word stands for itself: "all" is a name. */
	readonly quoted: boolean;
}

export interface HbaRule {
	readonly type: "local" | "host" | "hostssl" | "hostnossl";
	readonly databases: readonly Token[];
	readonly users: readonly Token[];
	/** Undefined: every address. */
	readonly addresses: AddressRange | undefined;
	readonly method: AuthMethod;
	/** A certificate of the client, besides: verified, or verified and in its user's name. */
	readonly clientCertificate: "none" | "verify-ca" | "verify-full";
	readonly line: number;
}

export interface HbaClient {
	/** An IP address. */
	readonly host: string;
	readonly encrypted: boolean;
	readonly user: string;
	readonly database: string;
	/** Names of the roles that the user is a member of. */
	readonly memberOf: ReadonlySet<string>;
}

const types = ["local", "host", "hostssl", "hostnossl"] as const;
const methods: readonly AuthMethod[] = ["trust", "reject", "scram-sha-256", "cert"];

const invalid = (line: number, message: string): DatabaseError =>
	new DatabaseError("F0000", `line ${line} of the hba file: ${message}`);

/** Throws F0000, which names the line where there is one. */
export function parseHba(text: string): readonly HbaRule[] {
	const rules: HbaRule[] = [];
	// A backslash at its end continues a line.
	const lines = text.split(/\r?\n/);
	for (let i = 0; i < lines.length; i++) {
		const number = i + 1;
		let line = lines[i] ?? "";
		while (line.endsWith("\\") && i + 1 < lines.length) line = line.slice(0, -1) + lines[++i];
		const fields = fieldsOf(line, number);
		if (fields.length > 0) rules.push(ruleOf(fields, number));
	}
	// A file that was emptied by mistake would shut everybody out.
	if (rules.length === 0) throw new DatabaseError("F0000", "the hba file has no rules");
	return rules;
}

/** Fields are parted by white space, the items of a field by commas. */
function fieldsOf(line: string, number: number): Token[][] {
	const fields: Token[][] = [];
	let continues = false;
	let at = 0;
	while (at < line.length) {
		const rest = line.slice(at);
		const space = /^\s+/.exec(rest);
		if (space !== null) {
			at += space[0].length;
			continue;
		}
		if (rest.startsWith("#")) break;
		if (rest.startsWith(",")) {
			continues = true;
			at++;
			continue;
		}
		const match = /^(?:[^\s,#"]+|"([^"]*)")+/.exec(rest);
		if (match === null) throw invalid(number, "a quotation mark is not closed");
		const token = { text: match[0].replaceAll('"', ""), quoted: match[0].startsWith('"') };
		if (continues) fields.at(-1)?.push(token);
		else fields.push([token]);
		continues = false;
		at += match[0].length;
	}
	return fields;
}

function ruleOf(fields: readonly Token[][], line: number): HbaRule {
	const type = types.find((one) => one === fields[0]?.[0]?.text);
	if (type === undefined) throw invalid(line, `invalid connection type "${fields[0]?.[0]?.text}"`);
	const [, databases = [], users = []] = fields;
	let next = 3;
	let addresses: AddressRange | undefined;
	if (type !== "local") {
		const address = fields[next++]?.[0];
		if (address === undefined) throw invalid(line, "end-of-line before IP address specification");
		const isMasked = ipVersion(address.text) !== undefined;
		const mask = isMasked ? fields[next++]?.[0]?.text : undefined;
		if (address.text !== "all") addresses = addressesOf(address.text, mask, line);
	}
	const name = fields[next++]?.[0]?.text;
	if (name === undefined) throw invalid(line, "end-of-line before authentication method");
	const method = methods.find((one) => one === name);
	if (method === undefined) {
		throw new DatabaseError(
			"F0000",
			invalid(line, `invalid authentication method "${name}"`).message,
			{
				hint: `It has to be one of ${methods.join(", ")}.`,
			},
		);
	}
	if (method === "cert" && type !== "hostssl") {
		throw invalid(line, "cert authentication is only supported on hostssl connections");
	}
	for (const { text, quoted } of users) {
		if (!quoted && text.startsWith("@")) throw invalid(line, "files of names are not supported");
	}
	const clientCertificate = certificateOf(fields.slice(next).flat(), type, line);
	return { type, databases, users, addresses, method, clientCertificate, line };
}

function certificateOf(
	options: readonly Token[],
	type: HbaRule["type"],
	line: number,
): HbaRule["clientCertificate"] {
	let found: HbaRule["clientCertificate"] = "none";
	for (const { text } of options) {
		const [name, value] = text.split("=");
		if (name !== "clientcert" || (value !== "verify-ca" && value !== "verify-full")) {
			throw invalid(line, `unrecognized authentication option "${text}"`);
		}
		if (type !== "hostssl")
			throw invalid(line, "clientcert can only be configured for hostssl rows");
		found = value;
	}
	return found;
}

function addressesOf(text: string, mask: string | undefined, line: number): AddressRange {
	if (ipVersion(text.split("/")[0] ?? "") === undefined) {
		throw invalid(line, `"${text}" is not an address; names of hosts are not supported`);
	}
	const range = AddressRange.parse(text, mask);
	if (range === undefined) throw invalid(line, `invalid mask of address "${text}"`);
	return range;
}

/** An IPv4 address that came in over IPv6 is the IPv4 address. */
export const plainHost = (host: string): string => host.replace(/^::ffff:(?=\d+\.)/i, "");

/** Undefined: none fits, which is a refusal. */
export function findRule(rules: readonly HbaRule[], client: HbaClient): HbaRule | undefined {
	return rules.find((rule) => fits(rule, client));
}

function fits(rule: HbaRule, client: HbaClient): boolean {
	if (rule.type === "local") return false;
	if (rule.type === "hostssl" && !client.encrypted) return false;
	if (rule.type === "hostnossl" && client.encrypted) return false;
	if (rule.addresses?.includes(client.host) === false) return false;
	return (
		rule.databases.some((token) => fitsDatabase(token, client)) &&
		rule.users.some((token) => fitsUser(token, client))
	);
}

function fitsDatabase({ text, quoted }: Token, { database, user, memberOf }: HbaClient): boolean {
	if (!quoted) {
		if (text === "all") return true;
		if (text === "sameuser") return database === user;
		if (text === "samerole" || text === "samegroup") {
			return database === user || memberOf.has(database);
		}
		if (text === "replication") return false;
	}
	return text === database;
}

function fitsUser({ text, quoted }: Token, { user, memberOf }: HbaClient): boolean {
	if (!quoted) {
		if (text === "all") return true;
		if (text.startsWith("+")) return user === text.slice(1) || memberOf.has(text.slice(1));
	}
	return text === user;
}
