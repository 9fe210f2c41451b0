/**
 * Installs the npm packages if what is installed is not what package-lock.json says. Compares content: file times
 * say nothing after a clone or a copy.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const wanted = packagesOf("package-lock.json");
const installed = packagesOf("node_modules/.package-lock.json");

if (wanted === undefined) {
	console.error("quorate: package-lock.json is missing");
	process.exit(1);
}
if (installed === undefined || !matches(wanted, installed)) {
	console.log("Installing npm packages ...");
	const flags = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
	const { status } = spawnSync("npm", flags, {
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
		return JSON.parse(readFileSync(file, "utf8")).packages;
	} catch {
		return undefined;
	}
}
