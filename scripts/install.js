/**
 * Installs the npm packages if what is installed is not what package-lock.json says. Compares content: file times
 * say nothing after a clone or a copy.
 *
 * Usage: node scripts/install.js [directory]
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const directory = process.argv[2] ?? ".";
const wanted = packagesOf("package-lock.json");
const installed = packagesOf("node_modules/.package-lock.json");

if (wanted === undefined) {
	console.error(`quorate: ${join(directory, "package-lock.json")} is missing`);
	process.exit(1);
}
if (installed === undefined || !matches(wanted, installed)) {
	console.log(`Installing npm packages${directory === "." ? "" : ` in ${directory}`} ...`);
	const flags = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
	const { status } = spawnSync("npm", flags, {
		cwd: directory,
		stdio: "inherit",
		shell: process.platform === "win32",
	});
	process.exit(status ?? 1);
}

function matches(wanted, installed) {
	return Object.entries(wanted).every(([path, { version, link, optional, devOptional }]) => {
		const found = installed[path];
		if (found === undefined) {
			// The binaries of other platforms are listed, but not installed.
			return path === "" || optional === true || devOptional === true;
		}
		return found.version === version && found.link === link;
	});
}

function packagesOf(file) {
	try {
		return JSON.parse(readFileSync(join(directory, file), "utf8")).packages;
	} catch {
		return undefined;
	}
}
