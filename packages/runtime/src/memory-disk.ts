/** A disk that lives and dies with the process: for `demo` and clusters inside a program. */
import type { Disk, DiskFile } from "./runtime.ts";

class MemoryFile {
	bytes = new Uint8Array(4096);
	size = 0;

	reserve(size: number): void {
		if (size > this.bytes.length) {
			const larger = new Uint8Array(Math.max(size, this.bytes.length * 2));
			larger.set(this.bytes.subarray(0, this.size));
			this.bytes = larger;
		}
	}
}

function missing(path: string): Error {
	return Object.assign(new Error(`ENOENT: no such file, '${path}'`), { code: "ENOENT" });
}

export class MemoryDisk implements Disk {
	readonly root = undefined;
	readonly #files = new Map<string, MemoryFile>();
	readonly #locks = new Set<string>();

	async open(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		let file = this.#files.get(path);
		if (file === undefined) {
			if (mode === "existing") {
				throw missing(path);
			}
			file = new MemoryFile();
			this.#files.set(path, file);
		}
		return handleOf(file);
	}

	openDurable(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		return this.open(path, mode);
	}

	async list(directory: string): Promise<string[]> {
		const prefix = directory === "" || directory === "." ? "" : `${directory}/`;
		const names = new Set<string>();
		for (const path of this.#files.keys()) {
			if (path.startsWith(prefix)) {
				names.add(path.slice(prefix.length).split("/")[0]!);
			}
		}
		return [...names].sort();
	}

	async makeDirectory(): Promise<void> {}

	async remove(path: string): Promise<void> {
		if (!this.#files.delete(path)) {
			throw missing(path);
		}
	}

	async replace(path: string, bytes: Uint8Array): Promise<void> {
		const file = new MemoryFile();
		file.reserve(bytes.length);
		file.bytes.set(bytes);
		file.size = bytes.length;
		this.#files.set(path, file);
	}

	async readWhole(path: string): Promise<Uint8Array | undefined> {
		const file = this.#files.get(path);
		return file?.bytes.slice(0, file.size);
	}

	async syncDirectory(): Promise<void> {}

	async space(): Promise<undefined> {
		return undefined;
	}

	async lock(path: string): Promise<{ release(): Promise<void> } | undefined> {
		if (this.#locks.has(path)) {
			return undefined;
		}
		this.#locks.add(path);
		return {
			release: async () => {
				this.#locks.delete(path);
			},
		};
	}
}

function handleOf(file: MemoryFile): DiskFile {
	return {
		async write(bytes, offset) {
			file.reserve(offset + bytes.length);
			file.bytes.set(bytes, offset);
			file.size = Math.max(file.size, offset + bytes.length);
		},
		async read(offset, length) {
			return file.bytes.slice(offset, Math.min(file.size, offset + length));
		},
		async sync() {},
		async truncate(size) {
			file.reserve(size);
			file.bytes.fill(0, Math.min(size, file.size));
			file.size = size;
		},
		async size() {
			return file.size;
		},
		async close() {},
	};
}
