/**
 * Makes `dist/suite`, from which `make test` runs: each compiled test as a file of its own, as before, and for each package one
 * file with all modules that its tests import. A test file runs in a thread of its own, and most of them need some nine hundred
 * modules: loaded one by one these take 0.8 s of CPU, as one file 0.25 s.
 *
 * A test sees no difference: `import.meta.url` is what it was where the module was compiled to, and stacks name the sources
 * (`test-stacks.cjs`). Packages of others are not bundled. A program that a test starts many times is one file as well.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outdir = join(root, "dist/suite");
const packages = [
	...readdirSync(join(root, "packages")).map((name) => `packages/${name}`),
	"cmd/quorate",
	"clients",
];
/** Where a program stands, and where as one file. */
const programs = new Map(
	["packages/server/dist/testing/damaged-node-main.js"].map((path) => [
		join(root, path),
		join(outdir, path.replace("/dist/", "/")),
	]),
);
const common = {
	absWorkingDir: root,
	bundle: true,
	format: "esm",
	platform: "node",
	target: "node20.19",
	sourcemap: true,
	sourcesContent: false,
	logLevel: "warning",
};

/** Where modules are, and what stands in them. */
const modules = {
	name: "modules",
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^[^./]/ }, ({ path }) => {
			const own = ownModule(path);
			return own === undefined ? { path, external: true } : { path: own };
		});
		onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => {
			const text = readFileSync(path, "utf8");
			if (!text.includes("import.meta.url")) return undefined;
			return { contents: inPlace(path, text), loader: "js" };
		});
	},
};

rmSync(outdir, { recursive: true, force: true });
await Promise.all([...packages.map(bundleTests), ...[...programs].map(bundleProgram)]);

async function bundleProgram([program, outfile]) {
	await build({ ...common, entryPoints: [program], outfile, plugins: [modules] });
}

async function bundleTests(name) {
	const dist = join(root, name, "dist");
	if (!existsSync(dist)) return;
	const tests = readdirSync(dist, { recursive: true })
		// What Debian's clients are told is run by `make test-clients`.
		.filter((file) => file.endsWith(".test.js") && !file.startsWith("debian/"))
		.map((file) => join(dist, file));
	if (tests.length === 0) return;
	await build({
		...common,
		entryPoints: tests.map((test) => ({
			in: `test:${test}`,
			out: join(name, relative(dist, test)).replace(/\.js$/, ""),
		})),
		outdir,
		chunkNames: `${name}/modules-[hash]`,
		splitting: true,
		plugins: [suite(tests), modules],
	});
}

/** As if the module had not been moved, but for the programs that have been, too. */
function inPlace(path, text) {
	const url = JSON.stringify(pathToFileURL(path).href);
	return text
		.replaceAll(/new URL\("([^"]+)", import\.meta\.url\)/g, (whole, to) => {
			const program = programs.get(join(dirname(path), to));
			return program === undefined
				? whole
				: `new URL(${JSON.stringify(pathToFileURL(program).href)})`;
		})
		.replaceAll("import.meta.url", url);
}

/** Every test imports all modules that any of them does, so that esbuild puts these into one file. */
function suite(tests) {
	const all = [...reachableFrom(tests)].filter((path) => !path.endsWith(".test.js"));
	const importing = (paths) => paths.map((path) => `import ${JSON.stringify(path)};`).join("\n");
	return {
		name: "suite",
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^(test:|modules$)/ }, ({ path }) => ({ path, namespace: "suite" }));
			onLoad({ filter: /./, namespace: "suite" }, ({ path }) => ({
				contents: importing(path === "modules" ? all : ["modules", path.slice("test:".length)]),
				resolveDir: root,
			}));
		},
	};
}

/** The compiled file of a module of this workspace. */
function ownModule(specifier) {
	const [, name, path] = /^(@quorate\/[^/]+|quorate)\/(.+)$/.exec(specifier) ?? [];
	if (name === undefined) return undefined;
	const directory = name === "quorate" ? "cmd/quorate" : name.replace("@quorate", "packages");
	return join(root, directory, "dist", `${path}.js`);
}

/** Over what is imported at the head of a module: what it imports later stays a matter of later. */
function reachableFrom(files) {
	const seen = new Set(files);
	for (const file of seen) {
		const text = readFileSync(file, "utf8");
		for (const [, from, effect] of text.matchAll(
			/^(?:import|export)\s[^"';]*\bfrom "([^"]+)"|^import "([^"]+)"/gm,
		)) {
			const specifier = from ?? effect;
			const path = specifier.startsWith(".")
				? join(dirname(file), specifier)
				: ownModule(specifier);
			if (path !== undefined) seen.add(path);
		}
	}
	return seen;
}
