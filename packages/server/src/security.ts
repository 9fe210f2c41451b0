/**
 * The files by which an operator says who may connect: rules in the form of pg_hba.conf, certificates in PEM. They are read at the
 * start, and again when told to: what is wrong then is logged, and everything stays as it was.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { PgSecurity } from "@quorate/pgwire/authentication";
import { type HbaRule, parseHba } from "@quorate/pgwire/hba";
import { parseUserMaps } from "@quorate/pgwire/user-maps";
import type {
	Runtime,
	SecuredNetwork,
	TlsAcceptor,
	TlsCredentials,
} from "@quorate/runtime/runtime";

/** Absolute paths. */
export interface CertificateFiles {
	readonly certificate: string;
	readonly key: string;
	readonly authorities: string | undefined;
}

export interface SecurityFiles {
	/** Undefined: whoever can connect is trusted, from loopback addresses only. */
	readonly hba: string | undefined;
	/** Maps of names, for rules with map=. */
	readonly ident?: string | undefined;
	/** Of the SQL listener. `authorities` certify clients. */
	readonly sql: CertificateFiles | undefined;
	/** Between nodes; with authorities of their own. */
	readonly nodes: CertificateFiles | undefined;
	readonly allowPlaintext: boolean;
}

async function read(runtime: Runtime, path: string): Promise<string> {
	const bytes = await runtime.files.readWhole(path.replace(/^\/+/, "")).catch((error: unknown) => {
		throw unusable(path, error);
	});
	if (bytes === undefined) throw new DatabaseError("F0000", `there is no file ${path}`);
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

const unusable = (path: string, error: unknown): DatabaseError =>
	new DatabaseError(
		"F0000",
		`cannot use ${path}: ${error instanceof Error ? error.message : String(error)}`,
	);

async function credentials(runtime: Runtime, files: CertificateFiles): Promise<TlsCredentials> {
	const { certificate, key, authorities } = files;
	return {
		certificate: await read(runtime, certificate),
		key: await read(runtime, key),
		authorities: authorities === undefined ? undefined : await read(runtime, authorities),
	};
}

async function rulesOf(
	runtime: Runtime,
	{ hba, ident }: { readonly hba: string; readonly ident?: string | undefined },
): Promise<readonly HbaRule[]> {
	const userMaps =
		ident === undefined
			? []
			: await inFile(ident, async () =>
					parseUserMaps(await read(runtime, ident), beside(runtime, ident)),
				);
	return inFile(hba, async () =>
		parseHba(await read(runtime, hba), {
			readNamed: beside(runtime, hba),
			userMaps,
			localNetworks: () => runtime.network.localNetworks?.() ?? [],
		}),
	);
}

/** A file that is named without its whole path is in the directory of the one that names it. */
const beside =
	(runtime: Runtime, path: string) =>
	(name: string): Promise<string> =>
		read(runtime, name.startsWith("/") ? name : path.replace(/[^/]*$/, name));

async function inFile<T>(path: string, parse: () => Promise<T>): Promise<T> {
	try {
		return await parse();
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		throw new DatabaseError(error.code, `${path}: ${error.message}`, error.fields);
	}
}

const noTls = (): DatabaseError =>
	new DatabaseError("0A000", "TLS is not supported by this network", {
		hint: "Leave the certificates out.",
	});

/** Undefined: what nodes say to each other is not encrypted. */
export async function nodeNetwork(
	runtime: Runtime,
	security: SecurityFiles | undefined,
): Promise<SecuredNetwork | undefined> {
	const files = security?.nodes;
	if (files === undefined) return undefined;
	const { network } = runtime;
	if (network.secured === undefined) throw noTls();
	const read = await credentials(runtime, files);
	try {
		return network.secured(read);
	} catch (error) {
		throw unusable(files.certificate, error);
	}
}

/** For connections from now on. Never rejects. */
export async function reloadNodeNetwork(
	runtime: Runtime,
	security: SecurityFiles | undefined,
	network: SecuredNetwork | undefined,
): Promise<void> {
	const files = security?.nodes;
	if (files === undefined || network === undefined) return;
	try {
		network.update(await credentials(runtime, files));
		runtime.logger.log("info", "certificates between nodes were read again");
	} catch (error) {
		runtime.logger.log("error", "certificates between nodes stay as they were", {
			reason: unusable(files.certificate, error).message,
		});
	}
}

export class Security implements PgSecurity {
	readonly #runtime: Runtime;
	readonly #files: SecurityFiles & { readonly hba: string };
	rules: readonly HbaRule[];
	readonly tls: TlsAcceptor | undefined;

	private constructor(
		runtime: Runtime,
		files: SecurityFiles & { readonly hba: string },
		rules: readonly HbaRule[],
		tls: TlsAcceptor | undefined,
	) {
		this.#runtime = runtime;
		this.#files = files;
		this.rules = rules;
		this.tls = tls;
	}

	get plaintextAllowed(): boolean {
		return this.#files.allowPlaintext;
	}

	/** Undefined where nothing is set up. Throws F0000, which names the file. */
	static async open(
		runtime: Runtime,
		files: SecurityFiles | undefined,
	): Promise<Security | undefined> {
		if (files?.hba === undefined) {
			if (files?.sql === undefined) return undefined;
			throw new DatabaseError(
				"F0000",
				"certificates without rules: nobody would be asked for one",
				{
					hint: "Give --hba as well.",
				},
			);
		}
		const { hba, sql } = files;
		const rules = await rulesOf(runtime, { ...files, hba });
		if (sql === undefined) return new Security(runtime, { ...files, hba }, rules, undefined);
		const { network } = runtime;
		if (network.tlsAcceptor === undefined) throw noTls();
		const shown = await credentials(runtime, sql);
		try {
			return new Security(runtime, { ...files, hba }, rules, network.tlsAcceptor(shown));
		} catch (error) {
			throw unusable(sql.certificate, error);
		}
	}

	/** For connections from now on. Never rejects. */
	async reload(): Promise<void> {
		const { logger } = this.#runtime;
		const { sql } = this.#files;
		try {
			const rules = await rulesOf(this.#runtime, this.#files);
			if (sql !== undefined) this.tls?.update(await credentials(this.#runtime, sql));
			this.rules = rules;
			logger.log("info", "rules and certificates were read again");
		} catch (error) {
			logger.log("error", "rules and certificates stay as they were", {
				reason: error instanceof Error ? error.message : String(error),
			});
		}
	}
}
