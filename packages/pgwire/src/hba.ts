/**
 * Who may connect from where, and how they prove who they are: PostgreSQL's pg_hba.conf. The first rule that fits a connection
 * decides; where none fits it is refused. `local` and `hostgssenc` rules are read and fit nothing, since there are no connections of those
 * kinds here.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { AddressRange, ipVersion } from "@quorate/runtime/address-range";
import type { CertificateSubject } from "@quorate/runtime/runtime";
import { invalidLine, type ReadNamed, readTokens, type Token } from "./hba-tokens.ts";
import type { UserMapLine } from "./user-maps.ts";

/** A host by its name: `.example.com` is all below that. */
type Addresses = Pick<AddressRange, "includes"> | { readonly hostName: string };

export type AuthMethod = "trust" | "reject" | "scram-sha-256" | "cert";

export interface HbaRule {
	readonly type: (typeof types)[number];
	readonly databases: readonly Token[];
	readonly users: readonly Token[];
	/** Undefined: every address. */
	readonly addresses: Addresses | undefined;
	readonly method: AuthMethod;
	/** A certificate of the client, besides: verified, or verified and in its user's name. */
	readonly clientCertificate: "none" | "verify-ca" | "verify-full";
	/** Which name of a certificate that is. */
	readonly certifiedName: keyof CertificateSubject;
	/** As whom the holder of a certificate may connect; undefined: under its name. */
	readonly userMap: readonly UserMapLine[] | undefined;
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
	/** Whether its host is called so, or by a name that ends so from a dot on. */
	isNamed(pattern: string): Promise<boolean>;
}

/** What rules refer to, and their file does not hold. */
export interface HbaSources {
	readonly readNamed: ReadNamed;
	/** Of all maps. */
	readonly userMaps: readonly UserMapLine[];
	/** Of this machine, each with the width of its net: 10.1.2.3/8. */
	localNetworks(): readonly string[];
}

const types = ["local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"] as const;
const methods: ReadonlyMap<string, AuthMethod> = new Map([
	["trust", "trust"],
	["reject", "reject"],
	["scram-sha-256", "scram-sha-256"],
	// As in PostgreSQL, where only a SCRAM verifier is kept of a password.
	["md5", "scram-sha-256"],
	["cert", "cert"],
]);
const certifiedNames: ReadonlyMap<string, keyof CertificateSubject> = new Map([
	["CN", "commonName"],
	["DN", "distinguishedName"],
]);
/** Those of PostgreSQL that prove what is not proved here. */
const otherMethods = "password ident peer gss sspi pam bsd ldap radius".split(" ");

const nothingElse: HbaSources = {
	readNamed: (name) =>
		Promise.reject(new DatabaseError("F0000", `there is no file for "@${name}"`)),
	userMaps: [],
	localNetworks: () => [],
};

/** Rejects with F0000, which names the line where there is one. */
export async function parseHba(
	text: string,
	sources: HbaSources = nothingElse,
): Promise<readonly HbaRule[]> {
	const lines = await readTokens(text, sources.readNamed);
	const rules = lines.map(({ fields, line }) => ruleOf(fields, line, sources));
	// A file that was emptied by mistake would shut everybody out.
	if (rules.length === 0) throw new DatabaseError("F0000", "the hba file has no rules");
	return rules;
}

/** The one word of a field. */
function single(field: readonly Token[] | undefined, what: string, line: number): Token {
	const [token, ...more] = field ?? [];
	if (token === undefined) throw invalidLine(line, `end-of-line before ${what}`);
	if (more.length > 0) throw invalidLine(line, `multiple values specified for ${what}`);
	return token;
}

function ruleOf(fields: readonly (readonly Token[])[], line: number, sources: HbaSources): HbaRule {
	const { text } = single(fields[0], "connection type", line);
	const type = types.find((one) => one === text);
	if (type === undefined) throw invalidLine(line, `invalid connection type "${text}"`);
	const [, databases, users] = fields;
	if (databases === undefined) throw invalidLine(line, "end-of-line before database specification");
	if (users === undefined) throw invalidLine(line, "end-of-line before role specification");
	let next = 3;
	let addresses: HbaRule["addresses"];
	if (type !== "local") {
		const address = single(fields[next++], "IP address specification", line);
		const isMasked = ipVersion(address.text) !== undefined;
		const mask = isMasked ? single(fields[next++], "netmask specification", line) : undefined;
		addresses = addressesOf(address, mask?.text, line, sources);
	}
	const name = single(fields[next++], "authentication method", line);
	const method = methodOf(name.text, type, line);
	const options = optionsOf(fields.slice(next).flat(), type, name.text, line);
	const { map, ...certificates } = options;
	const userMap = map === undefined ? undefined : sources.userMaps.filter((one) => one.map === map);
	return { type, databases, users, addresses, method, ...certificates, userMap, line };
}

function methodOf(name: string, type: HbaRule["type"], line: number): AuthMethod {
	const method = methods.get(name);
	if (method === "cert" && type !== "hostssl") {
		throw invalidLine(line, "cert authentication is only supported on hostssl connections");
	}
	if (method !== undefined) return method;
	const isKnown = otherMethods.includes(name);
	// Of connections that do not come, PostgreSQL's own file says "peer".
	if (isKnown && fitsNobody(type)) return "reject";
	const trouble = isKnown
		? `authentication method "${name}" is not supported`
		: `invalid authentication method "${name}"`;
	throw invalidLine(line, trouble, `It has to be one of ${[...methods.keys()].join(", ")}.`);
}

const fitsNobody = (type: HbaRule["type"]): boolean => type === "local" || type === "hostgssenc";

interface Options extends Pick<HbaRule, "clientCertificate" | "certifiedName"> {
	readonly map: string | undefined;
}

function optionsOf(
	options: readonly Token[],
	type: HbaRule["type"],
	method: string,
	line: number,
): Options {
	let clientCertificate: HbaRule["clientCertificate"] = "none";
	let certifiedName: HbaRule["certifiedName"] = "commonName";
	let map: string | undefined;
	for (const { text } of options) {
		const [name = "", value = ""] = text.split(/=(.*)/s);
		const certified = name === "clientname" ? certifiedNames.get(value) : undefined;
		if (name === "clientcert" && (value === "verify-ca" || value === "verify-full")) {
			if (type !== "hostssl") {
				throw invalidLine(line, "clientcert can only be configured for hostssl rows");
			}
			if (method === "cert" && value === "verify-ca") {
				throw invalidLine(line, 'clientcert only accepts "verify-full" with "cert" authentication');
			}
			clientCertificate = value;
		} else if (name === "map" && value !== "") {
			if (method !== "cert" && !(method === "peer" || method === "ident")) {
				throw invalidLine(line, 'option "map" is only valid for the authentication method cert');
			}
			map = value;
		} else if (certified !== undefined) {
			if (type !== "hostssl") {
				throw invalidLine(line, "clientname can only be configured for hostssl rows");
			}
			certifiedName = certified;
		} else {
			throw invalidLine(line, `unrecognized authentication option "${text}"`);
		}
	}
	return { clientCertificate, certifiedName, map };
}

function addressesOf(
	{ text, quoted }: Token,
	mask: string | undefined,
	line: number,
	{ localNetworks }: HbaSources,
): HbaRule["addresses"] {
	if (!quoted && text === "all") return undefined;
	if (!quoted && (text === "samehost" || text === "samenet")) {
		// Asked anew each time: addresses come and go.
		const rangeOf = (network: string): AddressRange | undefined =>
			text === "samenet"
				? AddressRange.parse(network)
				: AddressRange.single(network.split("/")[0] ?? "");
		return {
			includes: (host) =>
				localNetworks().some((network) => rangeOf(network)?.includes(host) === true),
		};
	}
	const [address = "", bits] = text.split("/");
	if (ipVersion(address) === undefined) {
		// What ends in a number is no name, but an address that was not written well.
		if (/:|(^|\.)\d*$/.test(address)) throw invalidLine(line, `invalid IP address "${text}"`);
		if (bits === undefined) return { hostName: text };
		throw invalidLine(line, `specifying both host name and CIDR mask is invalid: "${text}"`);
	}
	const range = AddressRange.parse(text, mask);
	if (range === undefined) throw invalidLine(line, `invalid mask of address "${text}"`);
	return range;
}

/** An IPv4 address that came in over IPv6 is the IPv4 address. */
export const plainHost = (host: string): string => host.replace(/^::ffff:(?=\d+\.)/i, "");

/** Undefined: none fits, which is a refusal. */
export async function findRule(
	rules: readonly HbaRule[],
	client: HbaClient,
): Promise<HbaRule | undefined> {
	for (const rule of rules) {
		// The address last: a name takes asking.
		if (fits(rule, client) && (await comesFrom(rule.addresses, client))) return rule;
	}
	return undefined;
}

function comesFrom(addresses: HbaRule["addresses"], client: HbaClient): boolean | Promise<boolean> {
	if (addresses === undefined) return true;
	if ("hostName" in addresses) return client.isNamed(addresses.hostName);
	return addresses.includes(client.host);
}

function fits(rule: HbaRule, client: HbaClient): boolean {
	if (fitsNobody(rule.type)) return false;
	if (rule.type === "hostssl" && !client.encrypted) return false;
	if (rule.type === "hostnossl" && client.encrypted) return false;
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
