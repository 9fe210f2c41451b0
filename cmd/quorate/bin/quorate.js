#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TOP_PAD_=0 MALLOC_TRIM_THRESHOLD_=131072 node
// The committed entry point: npm links a workspace's bin only if the file exists at install time.
import { existsSync } from "node:fs";

// Compiled in a checkout, bundled in the npm package.
const main = ["../dist/main.js", "../lib/main.js"]
	.map((path) => new URL(path, import.meta.url))
	.find((file) => existsSync(file));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
	console.error(`quorate: needs Node.js 20.19 or newer, this is ${process.versions.node}`);
	process.exit(1);
}
if (main === undefined) {
	console.error("quorate: not built yet; run `make build` in the checkout first");
	process.exit(1);
}
await import(main);
