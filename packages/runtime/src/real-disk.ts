/** `Disk` over `node:fs`, below one root directory. Descriptors and callbacks: a FileHandle costs more a call. */
import * as fs from "node:fs";
import * as fsp from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { lockDirectory } from "./real-lock.ts";
import type { Disk, DiskFile, DiskSpace } from "./runtime.ts";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Where the kernel's word for it means the same as fdatasync, a durable write is one call in one thread, not two in a row. */
const HAS_DURABLE_WRITES = process.platform === "linux";
const REPLACE_SUFFIX = ".replacing";

const isMissing = (error: unknown): boolean =>
	(error as { code?: unknown } | undefined)?.code === "ENOENT";

function coded(code: string, message: string): Error {
	return Object.assign(new Error(`${code}: ${message}`), { code });
}

class RealFile implements DiskFile {
	readonly #descriptor: number;
	readonly #syncsWrites: boolean;

	constructor(descriptor: number, syncsWrites: boolean) {
		this.#descriptor = descriptor;
		this.#syncsWrites = syncsWrites;
	}

	write(bytes: Uint8Array, offset: number): Promise<void> {
		const written = this.#write(bytes, offset);
		return this.#syncsWrites ? written.then(() => this.sync()) : written;
	}

	#write(bytes: Uint8Array, offset: number): Promise<void> {
		return new Promise((resolve, reject) => {
			const step = (done: number): void => {
				if (done === bytes.length) {
					resolve();
					return;
				}
				fs.write(
					this.#descriptor,
					bytes,
					done,
					bytes.length - done,
					offset + done,
					(error, written) => (error ? reject(error) : step(done + written)),
				);
			};
			step(0);
		});
	}

	read(offset: number, length: number): Promise<Uint8Array> {
		const bytes = new Uint8Array(length);
		return new Promise((resolve, reject) => {
			const step = (done: number): void => {
				if (done === length) {
					resolve(bytes);
					return;
				}
				fs.read(this.#descriptor, bytes, done, length - done, offset + done, (error, count) => {
					if (error) reject(error);
					else if (count === 0) resolve(bytes.subarray(0, done));
					else step(done + count);
				});
			};
			step(0);
		});
	}

	sync(): Promise<void> {
		return new Promise((resolve, reject) =>
			fs.fdatasync(this.#descriptor, (error) => (error ? reject(error) : resolve())),
		);
	}

	truncate(size: number): Promise<void> {
		return new Promise((resolve, reject) =>
			fs.ftruncate(this.#descriptor, size, (error) => (error ? reject(error) : resolve())),
		);
	}

	size(): Promise<number> {
		return new Promise((resolve, reject) =>
			fs.fstat(this.#descriptor, (error, stats) => (error ? reject(error) : resolve(stats.size))),
		);
	}

	close(): Promise<void> {
		return new Promise((resolve, reject) =>
			fs.close(this.#descriptor, (error) => (error ? reject(error) : resolve())),
		);
	}
}

async function syncDirectoryAt(path: string): Promise<void> {
	const handle = await fsp.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

export class RealDisk implements Disk {
	readonly root: string | undefined;
	/** Replacements of one path go one after the other: they share a temporary name. */
	readonly #replacing = new Map<string, Promise<void>>();

	/** `root` must exist; undefined is a process without a data directory, whose every access rejects. */
	constructor(root: string | undefined) {
		this.root = root;
	}

	open(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		return this.#open(path, mode, 0, false);
	}

	openDurable(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		return HAS_DURABLE_WRITES
			? this.#open(path, mode, fs.constants.O_DSYNC, false)
			: this.#open(path, mode, 0, true);
	}

	async #open(
		path: string,
		mode: "create" | "existing",
		moreFlags: number,
		syncsWrites: boolean,
	): Promise<DiskFile> {
		const creates = mode === "create" ? fs.constants.O_CREAT : 0;
		const flags = fs.constants.O_RDWR | creates | moreFlags;
		const at = this.#at(path);
		return new Promise((resolve, reject) =>
			fs.open(at, flags, FILE_MODE, (error, descriptor) =>
				error ? reject(error) : resolve(new RealFile(descriptor, syncsWrites)),
			),
		);
	}

	async list(directory: string): Promise<string[]> {
		try {
			return (await fsp.readdir(this.#at(directory))).sort();
		} catch (error) {
			if (isMissing(error)) return [];
			throw error;
		}
	}

	async makeDirectory(path: string): Promise<void> {
		await fsp.mkdir(this.#at(path), { recursive: true, mode: DIRECTORY_MODE });
		// Also of a directory that was there: the process that made it may have died before this.
		const parts = path.split("/").filter((part) => part !== "");
		for (let i = 0; i < parts.length; i++) {
			await syncDirectoryAt(this.#at(parts.slice(0, i).join("/")));
		}
	}

	async remove(path: string): Promise<void> {
		await fsp.rm(this.#at(path), { recursive: true });
	}

	replace(path: string, bytes: Uint8Array): Promise<void> {
		const before = this.#replacing.get(path) ?? Promise.resolve();
		const run = before.catch(() => undefined).then(() => this.#replaceNow(path, bytes));
		this.#replacing.set(path, run);
		return run.finally(() => {
			if (this.#replacing.get(path) === run) this.#replacing.delete(path);
		});
	}

	async #replaceNow(path: string, bytes: Uint8Array): Promise<void> {
		const target = this.#at(path);
		const temporary = target + REPLACE_SUFFIX;
		// What a crash has left, or somebody has put there: a link would have another file overwritten.
		await fsp.rm(temporary, { force: true });
		const handle = await fsp.open(temporary, "wx", FILE_MODE);
		try {
			await handle.writeFile(bytes);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await fsp.rename(temporary, target);
		await syncDirectoryAt(dirname(target));
	}

	async readWhole(path: string): Promise<Uint8Array | undefined> {
		try {
			const bytes = await fsp.readFile(this.#at(path));
			return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw error;
		}
	}

	async realPath(path: string): Promise<string> {
		const parts = path.split("/").filter((part) => part !== "");
		for (let count = parts.length; ; count--) {
			try {
				const found = await fsp.realpath(this.#at(parts.slice(0, count).join("/")));
				const root = await fsp.realpath(this.#at(""));
				return relative(root, join(found, ...parts.slice(count)));
			} catch (error) {
				if (!isMissing(error) || count === 0) throw error;
			}
		}
	}

	async syncDirectory(path: string): Promise<void> {
		await syncDirectoryAt(this.#at(path));
	}

	async space(): Promise<DiskSpace> {
		const { bavail, blocks, bsize } = await fsp.statfs(this.#at(""));
		return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
	}

	async lock(path: string): Promise<{ release(): Promise<void> } | undefined> {
		return lockDirectory(this.#at(path));
	}

	/** A path that leaves the root would be a bug with other people's files at stake. */
	#at(path: string): string {
		if (this.root === undefined) {
			throw coded("ENODEV", "this process was started without a data directory");
		}
		if (path.startsWith("/") || path.split("/").includes("..")) {
			throw coded("EINVAL", `"${path}" is not a path below the data directory`);
		}
		return join(this.root, path);
	}
}
