/** `host:port`, `[v6]:port`. The one place that takes such text apart. */
export interface HostAndPort {
	readonly host: string;
	readonly port: number;
}

/** Undefined where the text is not an address: the caller knows whether a flag, a file or a peer is to blame. */
export function parseAddress(address: string): HostAndPort | undefined {
	const colon = address.lastIndexOf(":");
	if (colon < 1) return undefined;
	let host = address.slice(0, colon);
	if (host.startsWith("[") && host.endsWith("]")) host = host.slice(1, -1);
	else if (host.includes(":")) return undefined;
	const portText = address.slice(colon + 1);
	if (host === "" || !/^\d{1,5}$/.test(portText)) return undefined;
	const port = Number(portText);
	return port <= 65535 ? { host, port } : undefined;
}

export const formatAddress = (host: string, port: number): string =>
	host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** True for what cannot be reached from another machine. */
export function isLoopbackHost(host: string): boolean {
	if (host === "localhost" || host === "::1") return true;
	const parts = host.split(".");
	return (
		parts.length === 4 &&
		parts[0] === "127" &&
		parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) <= 255)
	);
}
