/** The packets before a session: what they ask for, and the names and values of a StartupMessage. */
import { DatabaseError } from "@quorate/keys/database-error";
import { ProtocolViolation, SilentClose } from "./protocol-violation.ts";
import { decodeText } from "./utf8.ts";

const cancelRequestCode = 80877102;
const sslRequestCode = 80877103;
const gssRequestCode = 80877104;
/** The newest minor version of protocol 3 that is spoken here. */
export const protocolMinorMax = 0;

export type StartupPacket =
	| { readonly kind: "encryption"; readonly what: "SSL" | "GSSAPI encryption" }
	| { readonly kind: "cancel"; readonly pid: number; readonly secret: number }
	| {
			readonly kind: "session";
			/** As the client asked for it. */
			readonly minor: number;
			/** Names folded to lower case, `options` taken apart, `database` filled in. */
			readonly parameters: ReadonlyMap<string, string>;
			/** Protocol options (`_pq_.`), none of which is known here. */
			readonly protocolOptions: readonly string[];
	  };

/** `buffer` from `start` to `end` is the packet without its length. */
export function parseStartup(buffer: Buffer, start: number, end: number): StartupPacket {
	const code = buffer.readInt32BE(start);
	if (code === sslRequestCode) {
		return { kind: "encryption", what: "SSL" };
	}
	if (code === gssRequestCode) {
		return { kind: "encryption", what: "GSSAPI encryption" };
	}
	if (code === cancelRequestCode) {
		if (end - start !== 12) {
			throw new SilentClose("invalid length of query cancel packet");
		}
		return {
			kind: "cancel",
			pid: buffer.readInt32BE(start + 4),
			secret: buffer.readInt32BE(start + 8),
		};
	}
	return parseSession(code, buffer, start + 4, end);
}

function parseSession(code: number, buffer: Buffer, start: number, end: number): StartupPacket {
	const major = code >>> 16;
	const minor = code & 0xffff;
	if (major !== 3) {
		throw new ProtocolViolation(
			`unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.${protocolMinorMax}`,
			"0A000",
		);
	}
	const strings = parseStrings(buffer, start, end);
	const parameters = new Map<string, string>();
	const protocolOptions: string[] = [];
	for (let index = 0; index < strings.length; index += 2) {
		const name = strings[index]!.toLowerCase();
		const value = strings[index + 1]!;
		if (name.startsWith("_pq_.")) {
			protocolOptions.push(strings[index]!);
		} else if (name === "options") {
			for (const [setting, given] of parseOptions(value)) {
				parameters.set(setting, given);
			}
		} else {
			parameters.set(name, value);
		}
	}
	complete(parameters);
	return { kind: "session", minor, parameters, protocolOptions };
}

/** Name, value, name, value ..., then one empty name as the last byte of the packet. */
function parseStrings(buffer: Buffer, start: number, end: number): string[] {
	const layout = () =>
		new ProtocolViolation("invalid startup packet layout: expected terminator as last byte");
	const strings: string[] = [];
	let at = start;
	while (at < end) {
		const stop = buffer.indexOf(0, at);
		if (stop < 0 || stop >= end) {
			throw layout();
		}
		if (stop === at && strings.length % 2 === 0) {
			if (at !== end - 1) {
				throw layout();
			}
			return strings;
		}
		strings.push(decodeText(buffer, at, stop));
		at = stop + 1;
	}
	throw layout();
}

/** libpq's command-line switches: `-c name=value`, `-cname=value`, `--name=value`; a backslash keeps the next character. */
function parseOptions(text: string): [string, string][] {
	const words = splitOptions(text);
	const settings: [string, string][] = [];
	for (let index = 0; index < words.length; index++) {
		const word = words[index]!;
		let assignment: string;
		if (word.startsWith("--")) {
			assignment = word.slice(2);
		} else if (word.startsWith("-c")) {
			assignment = word.length > 2 ? word.slice(2) : (words[++index] ?? "");
		} else {
			throw new DatabaseError(
				"42601",
				`invalid command-line argument for server process: ${word}`,
				{ hint: 'Only "-c name=value" and "--name=value" are understood.' },
			);
		}
		const equals = assignment.indexOf("=");
		if (equals <= 0) {
			const shown = word.startsWith("--") ? "--" : "-c ";
			throw new DatabaseError("42601", `${shown}${assignment} requires a value`);
		}
		const name = assignment.slice(0, equals).replaceAll("-", "_").toLowerCase();
		settings.push([name, assignment.slice(equals + 1)]);
	}
	return settings;
}

function splitOptions(text: string): string[] {
	const words: string[] = [];
	let word: string | undefined;
	for (let index = 0; index < text.length; index++) {
		const char = text[index]!;
		if (/\s/.test(char)) {
			if (word !== undefined) {
				words.push(word);
			}
			word = undefined;
		} else {
			word = (word ?? "") + (char === "\\" ? (text[++index] ?? "") : char);
		}
	}
	if (word !== undefined) {
		words.push(word);
	}
	return words;
}

function complete(parameters: Map<string, string>): void {
	const user = parameters.get("user");
	if (user === undefined || user === "") {
		throw new DatabaseError("28000", "no PostgreSQL user name specified in startup packet");
	}
	if (!parameters.get("database")) {
		parameters.set("database", user);
	}
	const replication = parameters.get("replication")?.toLowerCase();
	parameters.delete("replication");
	if (replication !== undefined && !["false", "off", "no", "0"].includes(replication)) {
		throw new DatabaseError("0A000", "replication connections are not supported", {
			hint: "Quorate replicates inside its cluster; connect without the replication parameter.",
		});
	}
	const encoding = parameters.get("client_encoding");
	if (encoding !== undefined) {
		// PostgreSQL compares letters and digits only: 'utf-8' in quotes, as asyncpg sends it, is UTF8.
		const name = encoding.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
		if (name === "utf8" || name === "unicode") {
			parameters.set("client_encoding", "UTF8");
		}
	}
}
