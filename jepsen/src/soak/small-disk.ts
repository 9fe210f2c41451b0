/** A file system in memory that is small enough to be filled: tmpfs. Linux and root. */
import { execFileSync, spawnSync } from "node:child_process";
import {
	closeSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	rmSync,
	statfsSync,
	writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mounted = new Set<string>();
let watching = false;
const pieceBytes = 1 << 20;

/** Why there cannot be such disks here; undefined where there can. */
export function smallDisksImpossible(): string | undefined {
	if (process.getuid?.() !== 0) {
		return "only root can mount";
	}
	let disk: SmallDisk | undefined;
	try {
		disk = new SmallDisk(1);
	} catch (error) {
		return `tmpfs cannot be mounted (${(error as Error).message.trim()})`;
	} finally {
		disk?.remove();
	}
	return undefined;
}

export class SmallDisk {
	readonly directory: string;
	readonly #parent: string;

	constructor(sizeMiB: number) {
		this.#parent = mkdtempSync(join(tmpdir(), "quorate-small-"));
		this.directory = join(this.#parent, "disk");
		mkdirSync(this.directory);
		unmountAtExit();
		execFileSync(
			"mount",
			["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "quorate-test", this.directory],
			{ stdio: ["ignore", "ignore", "pipe"] },
		);
		mounted.add(this.directory);
	}

	get freeBytes(): number {
		const { bavail, bsize } = statfsSync(this.directory);
		return bavail * bsize;
	}

	/** Until nothing fits any more. */
	fill(): void {
		const file = openSync(join(this.directory, "filler"), "a");
		try {
			for (let piece = Buffer.alloc(pieceBytes, 1); piece.length > 0; ) {
				try {
					writeSync(file, piece);
				} catch (error) {
					if ((error as NodeJS.ErrnoException).code !== "ENOSPC") {
						throw error;
					}
					piece = piece.subarray(0, piece.length >> 1);
				}
			}
		} finally {
			closeSync(file);
		}
	}

	/** Somebody makes room. */
	empty(): void {
		rmSync(join(this.directory, "filler"), { force: true });
	}

	remove(): void {
		if (mounted.delete(this.directory)) {
			spawnSync("umount", ["--lazy", this.directory]);
		}
		rmSync(this.#parent, { recursive: true, force: true });
	}
}

function unmountAtExit(): void {
	if (watching) {
		return;
	}
	watching = true;
	process.on("exit", () => {
		for (const directory of mounted) {
			spawnSync("umount", ["--lazy", directory]);
		}
	});
}
