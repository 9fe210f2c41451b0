/**
 * Disks whose power can be cut: XFS on a loop device. A shutdown stops the file system at once, as `xfs_io shutdown` does it for
 * XFS's own tests: what was not synced by then is gone at the next mount. Linux, root and xfsprogs.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** mkfs.xfs refuses less than 300 MB; the image is sparse. */
const imageBytes = 1024 * 1024 * 1024;
const mounted = new Set<string>();
/** How many disks each has. */
const parents = new Map<string, number>();
let watching = false;

/** Why there cannot be such disks here; undefined where there can. */
export function loopDisksImpossible(): string | undefined {
	if (process.getuid?.() !== 0) {
		return "only root can mount";
	}
	for (const program of ["mkfs.xfs", "xfs_io"]) {
		if (spawnSync(program, ["-V"]).status !== 0) {
			return `${program} is not installed (apt-get install xfsprogs)`;
		}
	}
	return undefined;
}

/**
 * Other mount namespaces (`ip netns exec` makes one) begin with a copy of all mounts: a disk that was there is not unmounted while they
 * live, and what is mounted in its place is the dead one again. What lies below a shared directory goes from the copies, too.
 */
function share(parent: string): void {
	const disks = parents.get(parent) ?? 0;
	if (disks === 0) {
		run("mount", "--bind", parent, parent);
		run("mount", "--make-shared", parent);
	}
	parents.set(parent, disks + 1);
}

function unshare(parent: string): void {
	const disks = parents.get(parent)! - 1;
	parents.set(parent, disks);
	if (disks > 0) return;
	parents.delete(parent);
	run("umount", parent);
}

export class LoopDisk {
	readonly directory: string;
	readonly #parent: string;
	readonly #image: string;

	constructor(parent: string, name: string) {
		unmountAtExit();
		share(parent);
		this.#parent = parent;
		this.directory = join(parent, name);
		this.#image = join(parent, `${name}.xfs`);
		mkdirSync(this.directory);
		writeFileSync(this.#image, "");
		truncateSync(this.#image, imageBytes);
		run("mkfs.xfs", "-q", this.#image);
		this.mount();
	}

	mount(): void {
		run("mount", "-o", "loop", this.#image, this.directory);
		mounted.add(this.directory);
	}

	/** From now on every access fails with EIO. Nothing is written any more, the journal neither (-x, without -f). */
	cutPower(): void {
		run("xfs_io", "-x", "-c", "shutdown", this.directory);
	}

	/** Nothing may have a file open. */
	unmount(): void {
		run("umount", this.directory);
		mounted.delete(this.directory);
	}

	remove(): void {
		if (mounted.has(this.directory)) {
			this.unmount();
		}
		rmSync(this.#image, { force: true });
		rmSync(this.directory, { recursive: true, force: true });
		unshare(this.#parent);
	}
}

function run(program: string, ...args: readonly string[]): void {
	execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}

function unmountAtExit(): void {
	if (watching) {
		return;
	}
	watching = true;
	process.on("exit", () => {
		for (const directory of [...mounted, ...parents.keys()]) {
			// Lazily: the nodes have been sent a SIGKILL, but may take a moment to end.
			spawnSync("umount", ["--lazy", directory]);
		}
	});
}
