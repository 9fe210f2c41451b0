/**
 * The import rules of the layers (ARCHITECTURE.md): a package imports only packages below it, and says so in its
 * package.json and tsconfig.json, which name nothing else; nothing but the runtime touches clocks, timers, randomness,
 * network and files.
 * `tsc -b` stops none of that in a workspace. Prints each violation and exits with 1.
 *
 * Usage: node scripts/check-imports.js [root]
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, relative } from "node:path";

/** A package imports only packages of a lower number. */
const layers = {
	checker: 0,
	runtime: 0,
	keys: 0,
	rpc: 1,
	raft: 1,
	storage: 1,
	wal: 2,
	replica: 3,
	placement: 4,
	txn: 5,
	sql: 6,
	pgwire: 7,
	server: 8,
	sim: 9,
	embedded: 9,
};
/** Pure parts of Node's library. All others are the runtime's business. */
const pureBuiltins = new Set([
	"node:assert",
	"node:buffer",
	"node:crypto",
	"node:util",
	"node:zlib",
]);
/** The runtime is the seam; the simulator is its other implementation. */
const seams = new Set(["runtime", "sim"]);
/** Who may use more, and why. */
const exceptions = [
	// The engine's binding opens its own files, behind the files that know its traps.
	{ files: /^packages\/storage\/src\/rocks-/, builtins: /./ },
	// HTTP is parsed by Node's library over a connection of the runtime: no socket of its own.
	{ files: /^packages\/server\/src\/admin(-guard)?\.ts$/, builtins: /^node:(http|stream)$/ },
];
const randomness =
	/\bMath\.random\b|\b(random\w*|getRandomValues|webcrypto)\b[^;]*from "node:crypto"|\bcrypto\.(random|getRandom|webcrypto)/;

const root = process.argv[2] ?? ".";
const violations = [];

for (const name of readdirSync(join(root, "packages")).sort()) {
	checkPackage(name);
}
for (const line of violations) {
	console.error(line);
}
console.log(violations.length === 0 ? "imports: fine" : `imports: ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;

function checkPackage(name) {
	const directory = join(root, "packages", name);
	const layer = layers[name];
	if (layer === undefined) {
		violations.push(`packages/${name}: not a layer of the design`);
		return;
	}
	const manifest = readJson(join(directory, "package.json"));
	const declared = new Set(
		Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
	);
	const development = new Set(
		Object.keys(readJson(join(root, "package.json")).devDependencies ?? {}),
	);
	const references = new Set(
		(readJson(join(directory, "tsconfig.json")).references ?? []).map(({ path }) => path),
	);
	const unused = new Set([...declared, ...references]);
	// Also one that the compiler shall not see is written out.
	const isNamed = (what, text) =>
		text.includes(`"${what.replace("..", "@quorate")}/`) || text.includes(`"${what}"`);
	for (const file of [
		...sourceFiles(join(directory, "src")),
		...sourceFiles(join(directory, "model")),
	]) {
		const place = relative(root, file);
		const text = readFileSync(file, "utf8");
		const isTest = /(\.test|-suite)\.ts$|\/testing\//.test(place);
		const report = (what) => violations.push(`${place}: ${what}`);
		for (const what of unused) {
			if (isNamed(what, text)) {
				unused.delete(what);
			}
		}
		if (!isTest && !seams.has(name) && randomness.test(withoutComments(text))) {
			report("draws random values; use runtime.random");
		}
		for (const specifier of importsOf(text)) {
			checkImport(
				{ name, layer, place, isTest, declared, development, references, report },
				specifier,
			);
		}
	}
	for (const what of unused) {
		violations.push(`packages/${name}: nothing imports ${what}`);
	}
}

function checkImport(context, specifier) {
	const { name, layer, place, isTest, declared, development, references, report } = context;
	if (specifier.startsWith(".")) {
		const target = join(place, "..", specifier);
		// The model beside the simulator is a world of its own.
		const home = place.split("/").slice(0, 3).join("/");
		if (!target.startsWith(home)) {
			report(`${specifier} leaves the package`);
		}
		return;
	}
	if (isBuiltin(specifier)) {
		const excepted = exceptions.some((e) => e.files.test(place) && e.builtins.test(specifier));
		const free = isTest || seams.has(name) || excepted;
		if (!free && !pureBuiltins.has(specifier)) {
			report(`${specifier} is the runtime's business`);
		}
		return;
	}
	const target = packageOf(specifier);
	const own = target.startsWith("@quorate/") ? target.slice("@quorate/".length) : undefined;
	if (own === undefined) {
		if (!declared.has(target) && !(isTest && development.has(target))) {
			report(`${target} is not in the package's dependencies`);
		}
		return;
	}
	if (!(layers[own] < layer)) {
		report(`${specifier}: ${name} may not import ${own}`);
	} else if (!declared.has(target)) {
		report(`${target} is not in the package's dependencies`);
	} else if (!references.has(`../${own}`)) {
		report(`../${own} is not in the references of the package's tsconfig.json`);
	}
}

function packageOf(specifier) {
	return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function importsOf(text) {
	const found = withoutComments(text).matchAll(
		/(?:^import|^} from|^(?:import|export) .*? from|\bimport\()\s*"([^"\n]+)"/gm,
	);
	return [...found].map((match) => match[1]);
}

/** Good enough for source that a formatter has been over: comments begin a line or follow code and a space. */
function withoutComments(text) {
	return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

function* sourceFiles(directory) {
	if (!existsSync(directory)) {
		return;
	}
	for (const entry of readdirSync(directory, { recursive: true }).sort()) {
		if (entry.endsWith(".ts")) {
			yield join(directory, entry);
		}
	}
}

function readJson(file) {
	return JSON.parse(readFileSync(file, "utf8"));
}
