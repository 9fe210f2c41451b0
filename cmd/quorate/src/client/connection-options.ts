/**
 * Where to connect, as whom and how, from what the user gave: a URL, then DATABASE_URL, then PostgreSQL's PG* variables, then the
 * first node of a local cluster. What a URL leaves open is filled in from the variables.
 */
import { type SslMode, sslModes, type TlsWish } from "./tls-wish.ts";

export interface ConnectionOptions {
	readonly host: string;
	readonly port: number;
	readonly user: string;
	readonly database: string;
	/** From the URL or PGPASSWORD. */
	readonly password: string | undefined;
	/** PGPASSFILE; undefined: ~/.pgpass. */
	readonly passwordFile: string | undefined;
	readonly tls: TlsWish;
	readonly channelBinding: ChannelBinding;
	/** Further parameters of the StartupMessage. */
	readonly parameters: Readonly<Record<string, string>>;
	readonly connectTimeoutMs: number;
}

const channelBindings = ["disable", "prefer", "require"] as const;
export type ChannelBinding = (typeof channelBindings)[number];

export const defaultPort = 7431;
/** The superuser and the database that every cluster has. */
export const defaultDatabase = "quorate";
export const defaultUser = "quorate";
const connectTimeoutSecondsDefault = 10;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws an Error with a line for the user where something given makes no sense. */
export function connectionOptions(url: string | undefined, env: Environment): ConnectionOptions {
	const given = url ?? (env["DATABASE_URL"] || undefined);
	const fromUrl: UrlParts = given === undefined ? {} : parseUrl(given);
	const pick = (name: Exclude<keyof UrlParts, "extra">, variable: string): string | undefined =>
		fromUrl[name] ?? (env[variable] || undefined);
	const user = pick("user", "PGUSER") ?? defaultUser;
	const parameters: Record<string, string> = {
		client_encoding: "UTF8",
		application_name: env["PGAPPNAME"] ?? "quorate sql",
	};
	const options = pick("options", "PGOPTIONS");
	if (options !== undefined) {
		parameters["options"] = options;
	}
	const timeout = pick("connectTimeout", "PGCONNECT_TIMEOUT");
	const mode = pick("sslmode", "PGSSLMODE") ?? "prefer";
	const binding = pick("channelBinding", "PGCHANNELBINDING") ?? "prefer";
	return {
		host: pick("host", "PGHOST") ?? "127.0.0.1",
		port: parsePort(pick("port", "PGPORT") ?? String(defaultPort)),
		user,
		database: pick("database", "PGDATABASE") ?? defaultDatabase,
		password: pick("password", "PGPASSWORD"),
		passwordFile: env["PGPASSFILE"] || undefined,
		tls: {
			mode: oneOf<SslMode>(sslModes, mode, "sslmode"),
			rootCertificate: pick("sslrootcert", "PGSSLROOTCERT"),
			certificate: pick("sslcert", "PGSSLCERT"),
			key: pick("sslkey", "PGSSLKEY"),
		},
		channelBinding: oneOf<ChannelBinding>(channelBindings, binding, "channel_binding"),
		parameters: { ...parameters, ...fromUrl.extra },
		connectTimeoutMs: (Number(timeout) || connectTimeoutSecondsDefault) * 1000,
	};
}

interface UrlParts {
	readonly host?: string;
	readonly port?: string;
	readonly user?: string;
	readonly database?: string;
	readonly options?: string;
	readonly connectTimeout?: string;
	readonly password?: string;
	readonly sslmode?: string;
	readonly sslrootcert?: string;
	readonly sslcert?: string;
	readonly sslkey?: string;
	readonly channelBinding?: string;
	readonly extra?: Readonly<Record<string, string>>;
}

function parseUrl(text: string): UrlParts {
	let url: URL;
	try {
		url = new URL(text);
	} catch {
		throw new Error(`"${text}" is not a URL like postgresql://user@host:port/database`);
	}
	if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") {
		throw new Error(`"${text}" must begin with postgresql://`);
	}
	const extra: Record<string, string> = {};
	const asked = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
	const application = asked("application_name");
	if (application !== undefined) extra["application_name"] = application;
	const parts: Record<string, string | undefined> = {
		host: url.hostname.replace(/^\[(.*)\]$/, "$1") || asked("host") || undefined,
		port: url.port || asked("port") || undefined,
		user: decodeURIComponent(url.username) || asked("user") || undefined,
		database: decodeURIComponent(url.pathname.slice(1)) || undefined,
		options: asked("options"),
		connectTimeout: asked("connect_timeout"),
		password: decodeURIComponent(url.password) || asked("password") || undefined,
		sslmode: asked("sslmode"),
		sslrootcert: asked("sslrootcert"),
		sslcert: asked("sslcert"),
		sslkey: asked("sslkey"),
		channelBinding: asked("channel_binding"),
	};
	const present = Object.entries(parts).filter(([, value]) => value !== undefined);
	return { ...Object.fromEntries(present), extra };
}

function oneOf<T extends string>(values: readonly T[], text: string, name: string): T {
	const found = values.find((value) => value === text);
	if (found === undefined) {
		throw new Error(`${name} "${text}" is none of ${values.join(", ")}`);
	}
	return found;
}

function parsePort(text: string): number {
	const port = Number(text);
	if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
		throw new Error(`"${text}" is not a port number`);
	}
	return port;
}
