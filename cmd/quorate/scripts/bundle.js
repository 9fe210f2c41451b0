/**
 * Makes `lib`, what the npm package `quorate` carries: the command line and the library, each with the packages of this
 * workspace in it. Packages of others stay dependencies, but for those that exist as ES modules only and so cannot be
 * required: the CommonJS file, which test runners such as Jest need, holds a copy of them.
 *
 * `npm pack` runs it (prepack); it needs what `make build` has compiled.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const directory = fileURLToPath(new URL("..", import.meta.url));
const workspace = join(directory, "../..");
const lib = join(directory, "lib");
const types = ["cluster-error", "types", "cluster"];
const esModulesOnly = ["p-queue"];

const manifest = readJson(join(directory, "package.json"));
const others = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });

if (!existsSync(join(directory, "dist/index.js"))) {
	console.error("quorate: not built yet; run `make build` in the checkout first");
	process.exit(1);
}
checkVersions();
rmSync(lib, { recursive: true, force: true });
mkdirSync(lib);
const common = {
	bundle: true,
	platform: "node",
	target: "node20.19",
	absWorkingDir: directory,
	logLevel: "warning",
	legalComments: "none",
};
await build({
	...common,
	format: "esm",
	splitting: true,
	entryPoints: ["dist/index.js", "dist/main.js"],
	chunkNames: "chunks/[name]-[hash]",
	outdir: lib,
	external: others,
});
await build({
	...common,
	format: "cjs",
	entryPoints: ["dist/index.js"],
	outfile: join(lib, "index.cjs"),
	external: others.filter((name) => !esModulesOnly.includes(name)),
	// Jest has `require` only.
	supported: { "dynamic-import": false },
	banner: { js: `/* With p-queue and p-timeout (MIT License, Sindre Sorhus): ES modules only. */` },
});
for (const name of ["index.d.ts", "index.d.cts"]) writeFileSync(join(lib, name), declarations());
copyFileSync(join(workspace, "LICENSE"), join(directory, "LICENSE"));

/** The public declarations in one file, which refers to nothing. */
function declarations() {
	const parts = types.map((name) => {
		const text = readFileSync(join(workspace, "packages/embedded/dist", `${name}.d.ts`), "utf8");
		return text.replaceAll(/^(import|export) .* from ".*";\n|^\/\/# sourceMappingURL.*$/gm, "");
	});
	const text = `/// <reference lib="esnext.disposable" />\n${parts.join("\n")}`;
	if (/\bfrom "|\bimport\(/.test(text)) throw new Error("the public types import something");
	return text;
}

/** The dependencies of the packages that are bundled are listed a second time: they must agree. */
function checkVersions() {
	const problems = [];
	const listed = { ...manifest.dependencies, ...manifest.optionalDependencies };
	const seen = new Set();
	const visit = (name) => {
		if (seen.has(name)) return;
		seen.add(name);
		const at = join(workspace, "node_modules", name);
		const found = readJson(join(at, "package.json"));
		for (const [other, version] of Object.entries({
			...found.dependencies,
			...found.optionalDependencies,
		})) {
			if (other.startsWith("@quorate/")) visit(other);
			else if (listed[other] !== version) {
				problems.push(
					`${name} needs ${other} ${version}, quorate lists ${listed[other] ?? "nothing"}`,
				);
			}
		}
	};
	for (const name of Object.keys(manifest.devDependencies)) visit(name);
	if (problems.length > 0) {
		console.error(`${dirname(lib)}/package.json:\n${problems.join("\n")}`);
		process.exit(1);
	}
}

function readJson(file) {
	return JSON.parse(readFileSync(file, "utf8"));
}
