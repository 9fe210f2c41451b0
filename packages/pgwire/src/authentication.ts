/** From a start-up packet to the certainty of who the client is: the hba rule, a certificate, SCRAM. */
import { DatabaseError } from "@quorate/keys/database-error";
import { parseAddress } from "@quorate/runtime/address";
import type { Random, Runtime, TlsAcceptor, TlsPeer } from "@quorate/runtime/runtime";
import { parseVerifier } from "@quorate/sql/auth/scram-verifier";
import type { LoginFacts, SessionFactory } from "@quorate/sql/session/types";
import { ClientName } from "./client-name.ts";
import { findRule, type HbaRule, plainHost } from "./hba.ts";
import type { MessageBody } from "./message-body.ts";
import type { MessageWriter } from "./message-writer.ts";
import { backend } from "./messages.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { ScramServer } from "./scram-server.ts";
import { mayConnectAs } from "./user-maps.ts";
import { decodeText } from "./utf8.ts";

/** What an operator has set up. Both may change while the server runs: what begins after that goes by it. */
export interface PgSecurity {
	readonly rules: readonly HbaRule[];
	readonly tls: TlsAcceptor | undefined;
	/** Said by the operator: addresses that are not loopback may be served without TLS. */
	readonly plaintextAllowed: boolean;
}

/** What the exchange needs of its connection. */
export interface Prover {
	readonly writer: MessageWriter;
	flush(): void;
	/** The next message, which has to be of type "p". */
	nextPassword(): Promise<MessageBody>;
}

export interface Claim {
	readonly user: string;
	readonly database: string;
	/** host:port. */
	readonly remoteAddress: string;
	/** Undefined: not encrypted. */
	readonly tls: { readonly peer: TlsPeer; readonly endpointHash: Uint8Array } | undefined;
}

const sasl = { start: 10, continue: 11, final: 12 } as const;

const fatal = (code: string, message: string): DatabaseError =>
	new DatabaseError(code, message, { severity: "FATAL" });

/** Rejects with 28000, 28P01. */
export async function authenticate(
	security: PgSecurity,
	sessions: SessionFactory,
	runtime: Runtime,
	claim: Claim,
	prover: Prover,
): Promise<void> {
	const { user, tls } = claim;
	const facts = await sessions.loginFacts(user);
	const rule = await ruleFor(security, runtime, claim, facts);
	if (rule.clientCertificate !== "none" || rule.method === "cert") {
		const subject = tls?.peer.subject;
		if (subject === undefined)
			throw fatal("28000", "connection requires a valid client certificate");
		const isNamed = rule.method === "cert" || rule.clientCertificate === "verify-full";
		const name = subject[rule.certifiedName];
		if (isNamed && (name === undefined || !mayConnectAs(rule.userMap, name, user))) {
			throw fatal("28000", `certificate authentication failed for user "${user}"`);
		}
	}
	if (rule.method === "scram-sha-256") {
		await scram(facts, tls?.endpointHash, runtime.random, prover, user);
	}
}

async function ruleFor(
	security: PgSecurity,
	{ network, logger }: Runtime,
	claim: Claim,
	facts: LoginFacts,
): Promise<HbaRule> {
	const { user, database, tls } = claim;
	const host = plainHost(parseAddress(claim.remoteAddress)?.host ?? "");
	const encrypted = tls !== undefined;
	const { memberOf } = facts;
	const name = new ClientName(host, network.hostNames, logger);
	const isNamed = (pattern: string) => name.matches(pattern);
	const client = { host, encrypted, user, database, memberOf, isNamed };
	const rule = await findRule(security.rules, client);
	const whose = `host "${host}", user "${user}", database "${database}", ${encrypted ? "SSL encryption" : "no encryption"}`;
	if (rule === undefined) throw fatal("28000", `no pg_hba.conf entry for ${whose}`);
	if (rule.method === "reject") throw fatal("28000", `pg_hba.conf rejects connection for ${whose}`);
	return rule;
}

async function scram(
	facts: LoginFacts,
	endpointHash: Uint8Array | undefined,
	random: Random,
	prover: Prover,
	user: string,
): Promise<void> {
	const { writer } = prover;
	const failed = fatal("28P01", `password authentication failed for user "${user}"`);
	const verifier = parseVerifier(facts.verifier);
	if (verifier === undefined) throw failed;
	const server = new ScramServer(verifier, endpointHash, random.bytes(18));
	writer.begin(backend.authentication);
	writer.int32(sasl.start);
	for (const mechanism of server.mechanisms) writer.string(mechanism);
	writer.uint8(0);
	writer.end();
	prover.flush();
	const initial = await prover.nextPassword();
	const mechanism = initial.string();
	const length = initial.int32();
	if (length < 0) throw new ProtocolViolation("malformed SCRAM message");
	const clientFirst = textOf(initial, length);
	initial.finish();
	tell(prover, sasl.continue, server.first(mechanism, clientFirst));
	const response = await prover.nextPassword();
	const serverFinal = server.final(textOf(response, response.remaining));
	if (serverFinal === undefined || !facts.mayUsePassword) throw failed;
	tell(prover, sasl.final, serverFinal);
}

function textOf(body: MessageBody, length: number): string {
	const start = body.skip(length);
	return decodeText(body.buffer, start, start + length);
}

function tell({ writer, flush }: Prover, kind: number, text: string): void {
	writer.begin(backend.authentication);
	writer.int32(kind);
	writer.bytes(Buffer.from(text, "utf8"));
	writer.end();
	flush();
}
