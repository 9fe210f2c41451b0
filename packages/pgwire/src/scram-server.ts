/**
 * The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677; errors as PostgreSQL's auth-scram.c). The client
 * proves that it knows the password, without telling it, and the server that it knows the verifier. With a verifier that is a
 * decoy the exchange is the same, step by step, and fails at its end.
 */
import { timingSafeEqual } from "node:crypto";
import { type ScramVerifier, scramHash, scramHmac } from "@quorate/sql/auth/scram-verifier";
import { ProtocolViolation } from "./protocol-violation.ts";

export const plainMechanism = "SCRAM-SHA-256";
export const boundMechanism = "SCRAM-SHA-256-PLUS";

const bindingType = "tls-server-end-point";

const malformed = (detail: string): ProtocolViolation =>
	new ProtocolViolation("malformed SCRAM message", "08P01", detail);

export class ScramServer {
	readonly #verifier: ScramVerifier;
	/** Of the server's certificate; undefined without TLS. */
	readonly #endpointHash: Uint8Array | undefined;
	readonly #nonce: string;
	#gs2Header = "";
	#isBound = false;
	#combinedNonce = "";
	#clientFirstBare = "";
	#serverFirst = "";

	/** `nonce`: 18 random bytes. */
	constructor(verifier: ScramVerifier, endpointHash: Uint8Array | undefined, nonce: Uint8Array) {
		this.#verifier = verifier;
		this.#endpointHash = endpointHash;
		this.#nonce = Buffer.from(nonce).toString("base64");
	}

	get mechanisms(): readonly string[] {
		return this.#endpointHash === undefined ? [plainMechanism] : [boundMechanism, plainMechanism];
	}

	/** client-first-message to server-first-message. Throws `ProtocolViolation`. */
	first(mechanism: string, message: string): string {
		if (!this.mechanisms.includes(mechanism)) {
			throw new ProtocolViolation("client selected an invalid SASL authentication mechanism");
		}
		this.#isBound = mechanism === boundMechanism;
		const match = /^(([nyp])(?:=([A-Za-z0-9.-]+))?,([^,]*),)((.).*)$/s.exec(message);
		if (match === null) throw malformed("The message does not begin with a GS2 header.");
		const [, header = "", flag = "", type, identity, bare = "", attribute] = match;
		this.#checkBinding(flag, type);
		if (identity !== "") {
			throw new ProtocolViolation(
				"client uses authorization identity, but it is not supported",
				"0A000",
			);
		}
		if (attribute === "m") {
			throw new ProtocolViolation("client requires an unsupported SCRAM extension", "0A000");
		}
		// The name was said in the start-up packet; what is here is ignored, as PostgreSQL does.
		const nonce = /^n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(?:,|$)/.exec(bare)?.[1];
		if (nonce === undefined) throw malformed("The message has no name and printable nonce.");
		this.#gs2Header = header;
		this.#clientFirstBare = bare;
		this.#combinedNonce = nonce + this.#nonce;
		const { salt, iterations } = this.#verifier;
		this.#serverFirst = `r=${this.#combinedNonce},s=${salt.toString("base64")},i=${iterations}`;
		return this.#serverFirst;
	}

	#checkBinding(flag: string, type: string | undefined): void {
		if ((flag === "p") !== this.#isBound || (flag === "p") !== (type !== undefined)) {
			throw malformed(
				"The client selected a mechanism whose channel binding it does not use, or uses one that it did not select.",
			);
		}
		if (flag === "p" && type !== bindingType) {
			throw new ProtocolViolation(`unsupported SCRAM channel-binding type "${type}"`);
		}
		// Somebody between the two has taken the bound mechanism out of the list.
		if (flag === "y" && this.#endpointHash !== undefined) {
			throw new ProtocolViolation(
				"SCRAM channel binding negotiation error",
				"28000",
				"The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.",
			);
		}
	}

	/** client-final-message to server-final-message; undefined: the proof is wrong. Throws `ProtocolViolation`. */
	final(message: string): string | undefined {
		const match = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[a-z]=[^,]*)*),p=([A-Za-z0-9+/]{43}=)$/.exec(
			message,
		);
		if (match === null) throw malformed("The final message is not of the form c=...,r=...,p=...");
		const [, withoutProof = "", binding = "", nonce, proofText = ""] = match;
		const bound = this.#isBound ? (this.#endpointHash ?? new Uint8Array()) : new Uint8Array();
		const expected = Buffer.concat([Buffer.from(this.#gs2Header), bound]).toString("base64");
		if (binding !== expected) {
			throw this.#isBound
				? new ProtocolViolation("SCRAM channel binding check failed", "28000")
				: new ProtocolViolation(
						"unexpected SCRAM channel-binding attribute in client-final-message",
					);
		}
		if (nonce !== this.#combinedNonce) {
			throw new ProtocolViolation("invalid SCRAM response", "08P01", "Nonce does not match.");
		}
		const { storedKey, serverKey } = this.#verifier;
		const exchange = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
		const signature = scramHmac(storedKey, exchange);
		const proof = Buffer.from(proofText, "base64");
		const clientKey = proof.map((byte, i) => byte ^ signature[i]!);
		if (!timingSafeEqual(scramHash(clientKey), storedKey)) return undefined;
		return `v=${scramHmac(serverKey, exchange).toString("base64")}`;
	}
}
