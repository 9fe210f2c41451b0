/** What can be known to be wrong before a node touches anything: then nothing is changed. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { rebuildHint } from "@quorate/keys/damage";
import { parseAddress } from "@quorate/runtime/address";
import { UserError } from "./user-error.ts";

/** The file that makes a directory the data directory of a node. */
const identityFile = "identity.json";
/** What a node that was stopped before it had an identity leaves behind. */
const harmless = /^(\.|lock|LOCK|lost\+found$|addresses\.json)/;
const nodeVersionMin = [20, 19] as const;

export function checkNodeVersion(version: string): void {
	const [major = 0, minor = 0] = version.split(".").map(Number);
	if (major < nodeVersionMin[0] || (major === nodeVersionMin[0] && minor < nodeVersionMin[1])) {
		throw new UserError(`needs Node.js ${nodeVersionMin.join(".")} or newer, this is ${version}`);
	}
}

export function checkAddress(flag: string, address: string): void {
	if (parseAddress(address) === undefined) {
		throw new UserError(`${flag} "${address}" is not an address of the form host:port`);
	}
}

/** A directory that holds something else is refused; one that does not exist yet is fine. */
export function checkDataDirectory(directory: string): void {
	if (!existsSync(directory)) {
		return;
	}
	if (!statSync(directory).isDirectory()) {
		throw new UserError(`${directory} is a file, not a data directory; nothing was changed`);
	}
	const names = readdirSync(directory);
	const strange = names.filter((name) => !harmless.test(name));
	if (!names.includes(identityFile) && names.includes("wal")) {
		throw new UserError(`${identityFile} is missing in ${directory}. ${rebuildHint}`);
	}
	if (!names.includes(identityFile) && strange.length > 0) {
		throw new UserError(
			`${directory} holds other files (${strange.slice(0, 3).join(", ")}) and no Quorate data; nothing was changed`,
		);
	}
}

/** Rejects with a `UserError` that names the address and what it is for. */
export function checkFree(address: string, purpose: string): Promise<void> {
	const { host, port } = parseAddress(address)!;
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.once("error", (error: NodeJS.ErrnoException) => {
			const why = error.code === "EADDRINUSE" ? "is taken by another process" : error.message;
			reject(new UserError(`${address} (${purpose}) ${why}; nothing was started`));
		});
		probe.listen({ host, port }, () => probe.close(() => resolve()));
	});
}
