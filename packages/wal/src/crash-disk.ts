/**
 * A disk in memory for tests: it forgets at a crash what was not synced, or keeps any part of it. Not for production.
 */
import type { Clock, Disk, DiskFile, Runtime } from "@quorate/runtime/runtime";

interface FileState {
	/** What a reader sees. */
	content: Buffer;
	/** What a crash leaves for sure. */
	durable: Buffer;
	/** Writes since the last sync, in order. */
	unsynced: { readonly offset: number; readonly bytes: Buffer }[];
}

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

function writeInto(content: Buffer, bytes: Uint8Array, offset: number): Buffer {
	const grown =
		content.length < offset + bytes.length ? Buffer.alloc(offset + bytes.length) : content;
	if (grown !== content) {
		content.copy(grown);
	}
	grown.set(bytes, offset);
	return grown;
}

/** `keep` says of a byte of an unsynced write whether the crash leaves it. */
export type Keep = (write: number, byte: number) => boolean;

export class CrashDisk implements Disk {
	readonly root = undefined;
	#files = new Map<string, FileState>();
	#durableNames = new Map<string, FileState>();
	/** Such operations fail. */
	failure: { readonly operation: "write" | "sync"; readonly code: string } | undefined;
	syncs = 0;

	/** The disk as it is after a power loss now. `keepNames`: unsynced creations and removals stay. */
	crash(keep: Keep, keepNames: boolean): CrashDisk {
		const after = new CrashDisk();
		for (const [name, file] of keepNames ? this.#files : this.#durableNames) {
			let content: Buffer = Buffer.from(file.durable);
			for (const [write, { offset, bytes }] of file.unsynced.entries()) {
				for (let n = 0; n < bytes.length; n++) {
					if (keep(write, n)) {
						content = writeInto(content, bytes.subarray(n, n + 1), offset + n);
					}
				}
			}
			after.set(name, content);
		}
		return after;
	}

	/** Durable at once. */
	set(path: string, content: Uint8Array): void {
		const bytes = Buffer.from(content);
		const file = { content: bytes, durable: Buffer.from(bytes), unsynced: [] };
		this.#files.set(path, file);
		this.#durableNames.set(path, file);
	}

	content(path: string): Buffer {
		return Buffer.from(this.#file(path).content);
	}

	async open(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		await Promise.resolve();
		if (mode === "create") {
			this.#files.set(path, { content: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [] });
		}
		const file = this.#file(path);
		const check = (operation: "write" | "sync"): void => {
			if (this.failure?.operation === operation) {
				throw withCode(this.failure.code);
			}
		};
		return {
			write: async (bytes, offset) => {
				const copy = Buffer.from(bytes);
				await Promise.resolve();
				check("write");
				file.content = writeInto(file.content, copy, offset);
				file.unsynced.push({ offset, bytes: copy });
			},
			read: async (offset, length) => Buffer.from(file.content.subarray(offset, offset + length)),
			sync: async () => {
				const [content, count] = [Buffer.from(file.content), file.unsynced.length];
				await Promise.resolve();
				check("sync");
				this.syncs++;
				file.durable = content;
				file.unsynced = file.unsynced.slice(count);
			},
			truncate: async (size) => {
				file.content = Buffer.from(file.content.subarray(0, size));
			},
			size: async () => file.content.length,
			close: async () => undefined,
		};
	}

	async openDurable(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		const file = await this.open(path, mode);
		return {
			...file,
			write: async (bytes, offset) => {
				await file.write(bytes, offset);
				await file.sync();
			},
		};
	}

	async list(directory: string): Promise<string[]> {
		const names = [...this.#files.keys()].filter((path) => path.startsWith(`${directory}/`));
		return names.map((path) => path.slice(directory.length + 1)).sort();
	}

	async makeDirectory(): Promise<void> {}

	async remove(path: string): Promise<void> {
		this.#files.delete(path);
	}

	async replace(path: string, bytes: Uint8Array): Promise<void> {
		this.set(path, bytes);
	}

	async readWhole(path: string): Promise<Uint8Array | undefined> {
		const file = this.#files.get(path);
		return file === undefined ? undefined : Buffer.from(file.content);
	}

	async syncDirectory(): Promise<void> {
		this.#durableNames = new Map(this.#files);
	}

	async space(): Promise<undefined> {
		return undefined;
	}

	async lock(): Promise<{ release(): Promise<void> }> {
		return { release: async () => undefined };
	}

	#file(path: string): FileState {
		const file = this.#files.get(path);
		if (file === undefined) {
			throw withCode("ENOENT");
		}
		return file;
	}
}

/** A runtime that has a disk and seeded bytes, and throws from `fatal`. */
export function diskRuntime(disk: Disk, onFatal: (reason: string) => void = () => {}): Runtime {
	const clock: Clock = { monotonicMs: () => 0, wallMs: () => 0 };
	let state = 12345;
	return {
		clock,
		scheduler: {
			setTimer: () => ({ cancel: () => undefined }),
			defer: (task) => void Promise.resolve().then(task),
			yield: () => Promise.resolve(),
		},
		random: {
			float: () => 0.5,
			bytes: (count) =>
				Uint8Array.from({ length: count }, () => {
					state = (Math.imul(state, 1103515245) + 12345) >>> 0;
					return state >>> 24;
				}),
		},
		network: {
			listen: () => Promise.reject(new Error("no network")),
			connect: () => Promise.reject(new Error("no network")),
		},
		disk,
		files: disk,
		logger: {
			log: () => undefined,
			child() {
				return this;
			},
		},
		fatal: (reason) => {
			onFatal(reason);
			throw new Error(reason);
		},
	};
}
