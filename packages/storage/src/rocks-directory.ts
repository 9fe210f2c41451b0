/** For tests: RocksDB engines in a temporary directory that goes at the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealDisk } from "@quorate/runtime/real-disk";
import { loadBinding } from "./rocks-binding.ts";

/** Why RocksDB cannot be tested here, or undefined. */
export const rocksMissing: string | undefined = await loadBinding().then(
	() => undefined,
	(error: Error) => error.message,
);

let root: string | undefined;
let count = 0;

/** A disk, and a path on it that nobody else has. */
export function rocksDirectory(): { readonly disk: RealDisk; readonly path: string } {
	if (root === undefined) {
		const made = mkdtempSync(join(tmpdir(), "quorate-rocks-"));
		root = made;
		process.on("exit", () => rmSync(made, { recursive: true, force: true }));
	}
	return { disk: new RealDisk(root), path: `engine-${++count}` };
}
