/**
 * Where to connect, from what the user gave: a URL, then DATABASE_URL, then PostgreSQL's PG* variables, then the
 * first node of a local cluster. What a URL leaves open is filled in from the variables.
 */
export interface ConnectionOptions {
	readonly host: string;
	readonly port: number;
	readonly user: string;
	readonly database: string;
	/** Further parameters of the StartupMessage. */
	readonly parameters: Readonly<Record<string, string>>;
	readonly connectTimeoutMs: number;
}

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
	return {
		host: pick("host", "PGHOST") ?? "127.0.0.1",
		port: parsePort(pick("port", "PGPORT") ?? String(defaultPort)),
		user,
		database: pick("database", "PGDATABASE") ?? defaultDatabase,
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
	for (const [name, value] of url.searchParams) {
		if (name === "sslmode" && ["require", "verify-ca", "verify-full"].includes(value)) {
			throw new Error(`sslmode=${value} is not possible: the server has no TLS yet`);
		}
		if (name === "application_name") {
			extra[name] = value;
		}
	}
	const parts: Record<string, string | undefined> = {
		host: url.hostname.replace(/^\[(.*)\]$/, "$1") || url.searchParams.get("host") || undefined,
		port: url.port || url.searchParams.get("port") || undefined,
		user: decodeURIComponent(url.username) || url.searchParams.get("user") || undefined,
		database: decodeURIComponent(url.pathname.slice(1)) || undefined,
		options: url.searchParams.get("options") ?? undefined,
		connectTimeout: url.searchParams.get("connect_timeout") ?? undefined,
	};
	const present = Object.entries(parts).filter(([, value]) => value !== undefined);
	return { ...Object.fromEntries(present), extra };
}

function parsePort(text: string): number {
	const port = Number(text);
	if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
		throw new Error(`"${text}" is not a port number`);
	}
	return port;
}
