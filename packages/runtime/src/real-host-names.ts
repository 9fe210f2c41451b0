/**
 * What hosts are called, by the hosts file and DNS. The system's own resolver would hold a thread until it is answered, of the few that reads
 * and writes of files need as well; these queries are sockets of the event loop.
 */
import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { AddressRange, ipVersion } from "./address-range.ts";
import type { HostNames } from "./runtime.ts";

export interface HostNameSources {
	readonly hostsFile: string;
	/** Undefined: those of the system. */
	readonly servers: readonly string[] | undefined;
	/** For all servers and tries of one lookup together. */
	readonly timeoutMs: number;
}

const ofTheSystem: HostNameSources = {
	hostsFile: "/etc/hosts",
	servers: undefined,
	timeoutMs: 5_000,
};

export class RealHostNames implements HostNames {
	readonly #sources: HostNameSources;

	constructor(sources = ofTheSystem) {
		this.#sources = sources;
	}

	async nameOf(address: string): Promise<string> {
		const line = (await this.#hosts()).find((one) => one.range.includes(address));
		const [name] = line?.names ?? (await this.#ask((resolver) => resolver.reverse(address)));
		if (name === undefined) throw new Error(`${address} has no name`);
		return name;
	}

	async addressesOf(name: string, version: 4 | 6): Promise<readonly string[]> {
		const wanted = name.toLowerCase();
		const lines = (await this.#hosts()).filter(
			(one) =>
				ipVersion(one.address) === version && one.names.some((n) => n.toLowerCase() === wanted),
		);
		if (lines.length > 0) return lines.map(({ address }) => address);
		return this.#ask((resolver) =>
			version === 4 ? resolver.resolve4(name) : resolver.resolve6(name),
		);
	}

	async #hosts() {
		const text = await readFile(this.#sources.hostsFile, "utf8").catch(() => "");
		return text.split("\n").flatMap((line) => {
			const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
			const range = AddressRange.single(address);
			return range === undefined ? [] : [{ address, range, names }];
		});
	}

	/** Each time by what the system says then about its servers. */
	async #ask(question: (resolver: Resolver) => Promise<string[]>): Promise<string[]> {
		const { servers, timeoutMs } = this.#sources;
		const resolver = new Resolver();
		if (servers !== undefined) resolver.setServers(servers);
		const timer = setTimeout(() => resolver.cancel(), timeoutMs);
		try {
			return await question(resolver);
		} finally {
			clearTimeout(timer);
		}
	}
}
