/** The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with channel binding where there is TLS to bind to. */
import { timingSafeEqual } from "node:crypto";
import { DatabaseError } from "@quorate/keys/database-error";
import { saltedPassword, scramHash, scramHmac } from "./scram-verifier.ts";

/** A server that asks for more wants to keep this client busy. */
const iterationsMax = 1_000_000;

export class ScramClient {
	readonly #password: string;
	readonly #gs2Header: string;
	readonly #bound: Uint8Array;
	readonly #firstBare: string;
	#serverSignature: Buffer | undefined;

	/** `endpointHash`: binds to the certificate that was seen. `nonce`: 18 random bytes. */
	constructor(password: string, nonce: Uint8Array, endpointHash?: Uint8Array) {
		this.#password = password;
		this.#gs2Header = endpointHash === undefined ? "n,," : "p=tls-server-end-point,,";
		this.#bound = endpointHash ?? new Uint8Array();
		this.#firstBare = `n=,r=${Buffer.from(nonce).toString("base64")}`;
	}

	first(): string {
		return this.#gs2Header + this.#firstBare;
	}

	/** client-final-message. Throws 08P01. */
	final(serverFirst: string): string {
		const match = /^r=([^,]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})$/.exec(serverFirst);
		const [, nonce = "", salt = "", count = ""] = match ?? [];
		const iterations = Number(count);
		const own = this.#firstBare.slice("n=,r=".length);
		if (match === null || !nonce.startsWith(own) || nonce === own || iterations > iterationsMax) {
			throw new DatabaseError("08P01", "the server's SCRAM message is malformed");
		}
		const salted = saltedPassword(this.#password, Buffer.from(salt, "base64"), iterations);
		const clientKey = scramHmac(salted, "Client Key");
		const binding = Buffer.concat([Buffer.from(this.#gs2Header), this.#bound]).toString("base64");
		const withoutProof = `c=${binding},r=${nonce}`;
		const exchange = `${this.#firstBare},${serverFirst},${withoutProof}`;
		const signature = scramHmac(scramHash(clientKey), exchange);
		const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!));
		this.#serverSignature = scramHmac(scramHmac(salted, "Server Key"), exchange);
		return `${withoutProof},p=${proof.toString("base64")}`;
	}

	/** Whether the server knows the verifier; else it is another one. */
	accepts(serverFinal: string): boolean {
		const given = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? "", "base64");
		const expected = this.#serverSignature;
		return expected?.length === given.length && timingSafeEqual(expected, given);
	}
}
