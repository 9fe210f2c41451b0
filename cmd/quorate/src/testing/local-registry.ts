/**
 * An npm registry that has what is installed in this checkout and nothing else, so that a test can install a package as a user
 * does, without the network. A package that is not here is not there (404): npm leaves optional ones out.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Installed {
	readonly directory: string;
	readonly manifest: { readonly name: string; readonly version: string };
}

export class LocalRegistry {
	readonly url: string;
	readonly #server: Server;
	readonly #work: string;

	private constructor(url: string, server: Server, work: string) {
		this.url = url;
		this.#server = server;
		this.#work = work;
	}

	static async start(nodeModules: string): Promise<LocalRegistry> {
		const installed = installedIn(nodeModules);
		const work = mkdtempSync(join(tmpdir(), "quorate-registry-"));
		let url = "";
		const answer = async (path: string): Promise<string | Buffer | undefined> => {
			const [name = "", file] = decodeURIComponent(path.slice(1)).split("/-/");
			const versions = installed.filter(({ manifest }) => manifest.name === name);
			if (versions.length === 0) return undefined;
			if (file === undefined) return packument(name, versions, url);
			const found = versions.find(({ manifest }) => file === `${manifest.version}.tgz`);
			return found && tarball(found, work);
		};
		const server = createServer((request, response) => {
			// A kept connection that ends just when npm uses it again costs a retry, and npm waits long before one.
			response.setHeader("connection", "close");
			answer(request.url ?? "/").then(
				(body) => {
					response.statusCode = body === undefined ? 404 : 200;
					response.end(body ?? "{}");
				},
				(error: unknown) => {
					response.statusCode = 500;
					response.end(String(error));
				},
			);
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
		return new LocalRegistry(url, server, work);
	}

	stop(): void {
		this.#server.close();
		this.#server.closeAllConnections();
		rmSync(this.#work, { recursive: true, force: true });
	}
}

function installedIn(nodeModules: string): Installed[] {
	const found: Installed[] = [];
	for (const entry of readdirSync(nodeModules, { withFileTypes: true })) {
		// Links are packages of the workspace: they are published with `quorate` or not at all.
		if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
		const directory = join(nodeModules, entry.name);
		if (entry.name.startsWith("@")) {
			found.push(...installedIn(directory));
			continue;
		}
		const file = join(directory, "package.json");
		if (!existsSync(file)) continue;
		found.push({ directory, manifest: JSON.parse(readFileSync(file, "utf8")) });
		const nested = join(directory, "node_modules");
		if (existsSync(nested)) found.push(...installedIn(nested));
	}
	return found;
}

function packument(name: string, installed: readonly Installed[], url: string): string {
	const versions = installed.map(({ manifest }) => [
		manifest.version,
		{ ...manifest, dist: { tarball: `${url}/${name}/-/${manifest.version}.tgz` } },
	]);
	const latest = installed.at(-1)!.manifest.version;
	return JSON.stringify({
		name,
		"dist-tags": { latest },
		versions: Object.fromEntries(versions),
	});
}

async function tarball({ directory }: Installed, work: string): Promise<Buffer> {
	const staging = mkdtempSync(join(work, "package-"));
	const nested = `${directory}${sep}node_modules`;
	const to = join(staging, "package");
	await cp(directory, to, { recursive: true, filter: (path) => path !== nested });
	// Not compressed, which npm takes as well: a native package is large.
	await run("tar", ["-cf", join(staging, "package.tgz"), "-C", staging, "package"]);
	return readFileSync(join(staging, "package.tgz"));
}
