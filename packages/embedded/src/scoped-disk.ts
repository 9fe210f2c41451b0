/**
 * The disk of one boot. At its end files are closed and locks given back, as the kernel does for a process that dies: what was
 * written stays, synced or not.
 */
import type { Disk, DiskFile, DiskSpace } from "@quorate/runtime/runtime";
import type { ProcessScope } from "./process-scope.ts";

export class ScopedDisk implements Disk {
	readonly root: string | undefined;
	readonly #disk: Disk;
	readonly #scope: ProcessScope;

	constructor(disk: Disk, scope: ProcessScope) {
		this.root = disk.root;
		this.#disk = disk;
		this.#scope = scope;
	}

	open(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		return this.#opened(() => this.#disk.open(path, mode));
	}

	openDurable(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		return this.#opened(() => this.#disk.openDurable(path, mode));
	}

	#opened(open: () => Promise<DiskFile>): Promise<DiskFile> {
		return this.#scope.guard(async () => scopedFile(await open(), this.#scope));
	}

	list(directory: string): Promise<string[]> {
		return this.#scope.guard(() => this.#disk.list(directory));
	}

	makeDirectory(path: string): Promise<void> {
		return this.#scope.guard(() => this.#disk.makeDirectory(path));
	}

	remove(path: string): Promise<void> {
		return this.#scope.guard(() => this.#disk.remove(path));
	}

	replace(path: string, bytes: Uint8Array): Promise<void> {
		return this.#scope.guard(() => this.#disk.replace(path, bytes));
	}

	readWhole(path: string): Promise<Uint8Array | undefined> {
		return this.#scope.guard(() => this.#disk.readWhole(path));
	}

	syncDirectory(path: string): Promise<void> {
		return this.#scope.guard(() => this.#disk.syncDirectory(path));
	}

	space(): Promise<DiskSpace | undefined> {
		return this.#scope.guard(() => this.#disk.space());
	}

	lock(path: string): Promise<{ release(): Promise<void> } | undefined> {
		return this.#scope.guard(async () => {
			const lock = await this.#disk.lock(path);
			if (lock === undefined) return undefined;
			const forget = this.#scope.releaseAtEnd(() => lock.release());
			return {
				release: () => {
					forget();
					return this.#scope.guard(() => lock.release());
				},
			};
		});
	}
}

function scopedFile(file: DiskFile, scope: ProcessScope): DiskFile {
	const forget = scope.releaseAtEnd(() => file.close());
	return {
		write: (bytes, offset) => scope.guard(() => file.write(bytes, offset)),
		read: (offset, length) => scope.guard(() => file.read(offset, length)),
		sync: () => scope.guard(() => file.sync()),
		truncate: (size) => scope.guard(() => file.truncate(size)),
		size: () => scope.guard(() => file.size()),
		close: () =>
			scope.guard(() => {
				forget();
				return file.close();
			}),
	};
}
