/**
 * Makes `dist/suite`, from which `make test` runs: for each package one file with all modules that its tests import, and files of
 * tests. Most test files need some nine hundred modules: loaded one by one these take 0.8 s of CPU, as one file 0.25 s. Tests of most
 * packages share a thread or two, so that code is compiled there once and not for each file.
 *
 * A test sees no difference: `import.meta.url` is what it was where the module was compiled to, and stacks name the sources
 * (`test-stacks.cjs`). Packages of others are not bundled. Programs that tests start are bundled as well.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outdir = join(root, "dist/suite");
const packages = [
	...readdirSync(join(root, "packages")).map((name) => `packages/${name}`),
	"cmd/quorate",
	"clients",
	"jepsen",
];
/** Programs that tests start: where they stand, and where with all that they import at once in few files. */
const programs = new Map(
	[
		"packages/server/dist/testing/damaged-node-main.js",
		"packages/embedded/dist/testing/start-and-stop.js",
		"cmd/quorate/dist/main.js",
		"cmd/quorate/dist/testing/fake-node.js",
		"jepsen/dist/main.js",
		"jepsen/dist/nodes/node-with-hooks.js",
		"jepsen/dist/soak/wal-writer.js",
	].map(moved),
);
/** It looks for `main.js` where it stands itself. */
const launcher = moved("cmd/quorate/bin/quorate.js");
/** Packages whose tests share threads, and how many they are dealt to: what waits for timers as well, as others run meanwhile. ALONE=1: a thread for each file. */
const threads = new Map([
	["clients", 1],
	["packages/checker", 1],
	["packages/embedded", 1],
	["packages/keys", 1],
	["packages/pgwire", 1],
	["packages/placement", 1],
	["packages/raft", 1],
	["packages/replica", 1],
	["packages/rpc", 1],
	["packages/server", 1],
	["packages/sim", 2],
	["packages/sql", 2],
	["packages/storage", 1],
	["packages/txn", 1],
	["packages/wal", 1],
]);
/** Of a test file that must be alone: hooks are of all tests in a thread, and all tests are declared before anybody waits. */
const isOwn = /\btest(\.serial)?\.(before|after)|^(const \w+ = )?await\b/m;
const compileLess = pathToFileURL(join(root, "scripts/compile-less.js")).href;
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
await Promise.all([...packages.map(bundleTests), bundlePrograms()]);

function moved(path) {
	return [join(root, path), join(outdir, "programs", path)];
}

async function bundlePrograms() {
	mkdirSync(dirname(launcher[1]), { recursive: true });
	copyFileSync(...launcher);
	await build({
		...common,
		entryPoints: [...programs].map(([from, to]) => ({
			in: from,
			out: relative(outdir, to).replace(/\.js$/, ""),
		})),
		outdir,
		chunkNames: "programs/modules-[hash]",
		banner: { js: `import ${JSON.stringify(compileLess)};` },
		splitting: true,
		plugins: [modules],
	});
}

async function bundleTests(name) {
	const dist = join(root, name, "dist");
	if (!existsSync(dist)) return;
	const tests = readdirSync(dist, { recursive: true })
		// What Debian's clients are told is run by `make test-clients`.
		.filter((file) => file.endsWith(".test.js") && !file.startsWith("debian/"))
		.map((file) => join(dist, file));
	if (tests.length === 0) return;
	const entries = entriesOf(dist, tests, process.env.ALONE ? 0 : (threads.get(name) ?? 0));
	await build({
		...common,
		entryPoints: [...entries].map(([entry, files]) => ({
			in: `test:${files.join(",")}`,
			out: join(name, entry),
		})),
		outdir,
		chunkNames: `${name}/modules-[hash]`,
		splitting: true,
		plugins: [suite(dist, entries, tests), modules],
	});
}

/** What runs in a thread, by the name of its file: some test files one after the other, or one. */
function entriesOf(dist, tests, count) {
	const entries = new Map();
	let dealt = 0;
	for (const test of tests.toSorted()) {
		const alone = count === 0 || isOwn.test(readFileSync(test, "utf8"));
		const entry = alone ? `${nameOf(dist, test)}.test` : `shared-${1 + (dealt++ % count)}.test`;
		entries.set(entry, [...(entries.get(entry) ?? []), test]);
	}
	return entries;
}

function nameOf(dist, test) {
	return relative(dist, test).replace(/\.test\.js$/, "");
}

/** As if the module had not been moved, but for the programs that have been, too. */
function inPlace(path, text) {
	const url = JSON.stringify(pathToFileURL(path).href);
	return text
		.replaceAll(/new URL\("([^"]+)", import\.meta\.url\)/g, (whole, to) => {
			const program = new Map([...programs, launcher]).get(join(dirname(path), to));
			return program === undefined
				? whole
				: `new URL(${JSON.stringify(pathToFileURL(program).href)})`;
		})
		.replaceAll("import.meta.url", url);
}

/**
 * Every test imports all modules that any of them does, so that esbuild puts these into one file. Of tests that share a thread the
 * titles say of which file they are, and each waits for the one before.
 */
function suite(dist, entries, tests) {
	const all = [...reachableFrom(tests)].filter((path) => !path.endsWith(".test.js"));
	const sharing = new Set([...entries.values()].filter((files) => files.length > 1).flat());
	const importing = (paths) => paths.map((path) => `import ${JSON.stringify(path)};`).join("\n");
	return {
		name: "suite",
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^(test:|modules$)/ }, ({ path }) => ({ path, namespace: "suite" }));
			onResolve({ filter: /^ava$/, namespace: "file" }, ({ importer }) =>
				sharing.has(importer) ? { path: importer, namespace: "titled" } : undefined,
			);
			onLoad({ filter: /./, namespace: "suite" }, ({ path }) => ({
				contents: importing(
					path === "modules" ? all : ["modules", ...path.slice("test:".length).split(",")],
				),
				resolveDir: root,
			}));
			onLoad({ filter: /./, namespace: "titled" }, ({ path }) => ({
				contents: titled(nameOf(dist, path)),
				resolveDir: root,
			}));
		},
	};
}

/** What such a test file imports instead of ava. */
function titled(name) {
	return `
		import test from "ava";
		const of = (declare) => (title, ...rest) => declare(${JSON.stringify(`${name}: `)} + title, ...rest);
		export default Object.assign(of(test.serial), {
			skip: of(test.serial.skip),
			serial: Object.assign(of(test.serial), { skip: of(test.serial.skip) }),
		});`;
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
