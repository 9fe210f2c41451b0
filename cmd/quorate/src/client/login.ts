/** Who we are: answers what a server asks for before it lets anybody in. */
import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { ScramClient } from "@quorate/sql/auth/scram-client";
import { serialize } from "pg-protocol";
import type { ConnectionOptions } from "./connection-options.ts";
import { passwordFromFile } from "./password-file.ts";

const scram = "SCRAM-SHA-256";
const scramBound = "SCRAM-SHA-256-PLUS";

/** What the parser makes of an Authentication message. */
export interface Challenge {
	readonly name: string;
	readonly mechanisms: readonly string[];
	readonly data: string;
}

export class Login {
	readonly #options: ConnectionOptions;
	readonly #endpoint: Uint8Array | undefined;
	readonly #ask: () => Promise<string>;
	#exchange: ScramClient | undefined;
	#isBound = false;
	#isProven = false;

	/** `endpoint`: hash of the certificate that the server has shown. */
	constructor(
		options: ConnectionOptions,
		endpoint: Uint8Array | undefined,
		ask: () => Promise<string>,
	) {
		this.#options = options;
		this.#endpoint = endpoint;
		this.#ask = ask;
	}

	/** What to send, if anything. Throws where the server is not to be trusted, or asks for what is not to be had. */
	async answer({ name, mechanisms, data }: Challenge): Promise<Buffer | undefined> {
		const { channelBinding } = this.#options;
		switch (name) {
			case "authenticationSASL":
				return this.#begin(mechanisms);
			case "authenticationSASLContinue":
				return serialize.sendSCRAMClientFinalMessage(this.#scram().final(data));
			case "authenticationSASLFinal":
				if (!this.#scram().accepts(data)) {
					throw new Error(
						"the server does not know the password: it is not the one that was meant",
					);
				}
				this.#isProven = true;
				return undefined;
			default:
				if (channelBinding === "require") {
					throw new Error("channel_binding=require, but the server asks for the password itself");
				}
				return serialize.password(await this.#password());
		}
	}

	/** The server lets us in. Throws where it has not shown before that it is the right one. */
	admitted(): void {
		if (this.#exchange !== undefined && !this.#isProven) {
			throw new Error(
				"the server ended the authentication without showing that it knows the password",
			);
		}
		if (this.#options.channelBinding === "require" && !(this.#isBound && this.#isProven)) {
			throw new Error("channel_binding=require, but the server let us in without it");
		}
	}

	async #begin(mechanisms: readonly string[]): Promise<Buffer> {
		const { channelBinding } = this.#options;
		const endpoint = channelBinding === "disable" ? undefined : this.#endpoint;
		this.#isBound = endpoint !== undefined && mechanisms.includes(scramBound);
		if (channelBinding === "require" && !this.#isBound) {
			throw new Error("channel_binding=require, but there is no TLS to bind to");
		}
		const mechanism = this.#isBound ? scramBound : scram;
		if (!mechanisms.includes(mechanism)) {
			throw new Error(
				`the server offers ${mechanisms.join(", ")}, of which this client knows none`,
			);
		}
		const password = await this.#password();
		this.#exchange = new ScramClient(
			password,
			randomBytes(18),
			this.#isBound ? endpoint : undefined,
		);
		return serialize.sendSASLInitialResponseMessage(mechanism, this.#exchange.first());
	}

	#scram(): ScramClient {
		if (this.#exchange === undefined) throw new Error("the server goes on with what was not begun");
		return this.#exchange;
	}

	async #password(): Promise<string> {
		const { password, passwordFile } = this.#options;
		const path = passwordFile ?? `${homedir()}/.pgpass`;
		const warn = (line: string): void => console.error(`quorate: ${line}`);
		return password ?? passwordFromFile(path, this.#options, warn) ?? this.#ask();
	}
}
