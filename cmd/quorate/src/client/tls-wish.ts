/** What a user wants of TLS, in libpq's terms, and the sockets that come of it. */
import { existsSync, readFileSync } from "node:fs";
import { isIP, type Socket } from "node:net";
import { homedir } from "node:os";
import {
	type TLSSocket,
	type ConnectionOptions as TlsOptions,
	connect as tlsConnect,
} from "node:tls";
import { endpointHash } from "@quorate/runtime/certificate-hash";

export const sslModes = [
	"disable",
	"allow",
	"prefer",
	"require",
	"verify-ca",
	"verify-full",
] as const;
export type SslMode = (typeof sslModes)[number];

export interface TlsWish {
	readonly mode: SslMode;
	/** Paths. An authority that is named is asked, also where the mode is `require`, as libpq does. */
	readonly rootCertificate: string | undefined;
	readonly certificate: string | undefined;
	readonly key: string | undefined;
}

/** SSLRequest: a length, and a number that is no version. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function readCertificate(path: string, what: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		throw new Error(`cannot read ${what} ${path}: ${(error as Error).message}`);
	}
}

/** Throws where a file is missing that the mode cannot do without. */
export function tlsOptions(wish: TlsWish, host: string): TlsOptions {
	const { mode, rootCertificate: root, certificate, key } = wish;
	const verifies = mode.startsWith("verify");
	if (verifies && root === undefined) {
		throw new Error(
			`sslmode=${mode} needs the authority's certificate: give sslrootcert=FILE (ca.crt of "quorate cert create"), or "system"`,
		);
	}
	const asksAuthority = verifies || (mode === "require" && root !== undefined);
	const isSystem = root === "system";
	return {
		minVersion: "TLSv1.2",
		rejectUnauthorized: asksAuthority,
		...(asksAuthority && !isSystem ? { ca: readCertificate(root!, "the root certificate") } : {}),
		...(mode === "verify-full" || isSystem ? {} : { checkServerIdentity: () => undefined }),
		...(certificate === undefined ? {} : { cert: readCertificate(certificate, "the certificate") }),
		...(key === undefined ? {} : { key: readCertificate(key, "the key") }),
		host,
		...(isIP(host) === 0 ? { servername: host } : {}),
	};
}

/** libpq's places, where something is there. */
function withDefaultFiles(wish: TlsWish, home: string): TlsWish {
	const inHome = (name: string): string | undefined => {
		const path = `${home}/.postgresql/${name}`;
		return existsSync(path) ? path : undefined;
	};
	const certificate = wish.certificate ?? inHome("postgresql.crt");
	return {
		mode: wish.mode,
		rootCertificate: wish.rootCertificate ?? inHome("root.crt"),
		certificate,
		key: wish.key ?? (certificate === undefined ? undefined : inHome("postgresql.key")),
	};
}

/** One byte: S or N. More would be what somebody has slipped in before the encryption. */
function answerTo(socket: Socket): Promise<string> {
	return new Promise((resolve, reject) => {
		const closed = (): void => reject(new Error("the server closed the connection"));
		socket.once("close", closed);
		socket.once("error", reject);
		socket.once("data", (bytes) => {
			socket.removeListener("close", closed);
			socket.removeListener("error", reject);
			// Until somebody listens again nothing is to be read.
			socket.pause();
			if (bytes.length === 1) resolve(String(bytes));
			else reject(new Error("the server sent more than it was asked for before encryption began"));
		});
		socket.write(sslRequest);
	});
}

export interface Opened {
	readonly socket: Socket;
	/** What channel binding binds to; undefined without TLS. */
	readonly endpoint: Uint8Array | undefined;
}

/** Rejects where the wish and the server do not go together. The socket is connected, and nothing was sent yet. */
export async function secure(socket: Socket, wish: TlsWish, host: string): Promise<Opened> {
	if (wish.mode === "disable" || wish.mode === "allow") return { socket, endpoint: undefined };
	const options = tlsOptions(withDefaultFiles(wish, homedir()), host);
	const answer = await answerTo(socket);
	if (answer !== "S") {
		if (wish.mode === "prefer" && answer === "N") return { socket, endpoint: undefined };
		throw new Error(`sslmode=${wish.mode}, but the server does not speak TLS`);
	}
	const encrypted = await new Promise<TLSSocket>((resolve, reject) => {
		const tls = tlsConnect({ ...options, socket });
		tls.once("error", (error) => reject(new Error(`TLS: ${error.message}`)));
		tls.once("secureConnect", () => {
			tls.removeAllListeners("error");
			resolve(tls);
		});
	});
	const certificate = encrypted.getPeerX509Certificate();
	return {
		socket: encrypted,
		endpoint: certificate === undefined ? undefined : endpointHash(certificate.toString()),
	};
}
