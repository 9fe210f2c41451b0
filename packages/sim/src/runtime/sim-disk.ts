/**
 * The disk of a machine. It outlives processes; what it keeps through a crash follows from what was synced.
 *
 * - A power failure leaves of every write that was not synced all, nothing, or any piece, each write for itself, and of the
 *   changes of every name that was not synced some first part.
 * - A dead process leaves what it had written; a call that had not returned may be half done.
 * - A failed sync dooms what it covered: the program still reads it, but no later sync makes it durable (as Linux does).
 * - `replace` leaves the old or the new content, and sometimes its temporary file.
 */
import type { Disk, DiskFile, DiskSpace } from "@quorate/runtime/runtime";
import { codedError } from "./coded-error.ts";
import { EVENT_DISK } from "./event-queue.ts";
import type { CrashKind } from "./machine.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { normalize as normalized, parentOf, SimDirectoryTree } from "./sim-directory.ts";
import { type Change, SimFile } from "./sim-file.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

export interface DiskOptions {
	/** Of a read or a write, in virtual microseconds. */
	readonly accessUsMin: number;
	readonly accessUsMean: number;
	readonly syncUsMin: number;
	readonly syncUsMean: number;
}

export const DISK_DEFAULTS: DiskOptions = {
	accessUsMin: 10,
	accessUsMean: 20,
	syncUsMin: 100,
	syncUsMean: 400,
};

export type DiskOperation =
	| "open"
	| "read"
	| "write"
	| "sync"
	| "truncate"
	| "replace"
	| "remove"
	| "makeDirectory"
	| "syncDirectory"
	| "list";

const REPLACE_SUFFIX = ".replacing";

const isSync = (operation: DiskOperation): boolean =>
	operation === "sync" || operation === "syncDirectory";

/** Faults to come: rates apply to each operation; `failNext` queues single ones. */
export interface DiskFaults {
	writeErrorRate: number;
	syncErrorRate: number;
	/** A sync can also be the one that learns that the disk is full. */
	syncError: "EIO" | "ENOSPC";
	readErrorRate: number;
	/** Share of syncs that take `slowSyncMs`. */
	slowSyncRate: number;
	slowSyncMs: number;
	/** Files may take up so much together; beyond it writes fail with ENOSPC. */
	capacityBytes: number;
	/** Of that, taken by others. */
	othersBytes: number;
}

interface Replacement {
	readonly process: SimProcess;
	readonly path: string;
	readonly bytes: Uint8Array;
}

export class SimDisk {
	readonly faults: DiskFaults = {
		writeErrorRate: 0,
		syncErrorRate: 0,
		syncError: "EIO",
		readErrorRate: 0,
		slowSyncRate: 0,
		slowSyncMs: 0,
		capacityBytes: Number.POSITIVE_INFINITY,
		othersBytes: 0,
	};
	/** Called when an operation starts: a nemesis may crash the machine right there. */
	onOperation: ((operation: DiskOperation, path: string) => void) | undefined;
	readonly #world: World;
	readonly #random: SeededRandom;
	readonly #tree = new SimDirectoryTree();
	/** Files with changes at risk, by first change: also those that have lost their name. */
	readonly #atRisk = new Set<SimFile>();
	readonly #replacements = new Set<Replacement>();
	readonly #locks = new Map<string, SimProcess>();
	readonly #failNext: { operation: DiskOperation; code: string; path: string | undefined }[] = [];

	constructor(world: World, machineId: number) {
		this.#world = world;
		this.#random = world.random(`disk ${machineId}`);
	}

	/** The next such operation, on that path if one is given, fails with this code. */
	failNext(operation: DiskOperation, code: string, path?: string): void {
		this.#failNext.push({ operation, code, path: path && normalized(path) });
	}

	/** A new, empty disk. Not while a process runs. */
	erase(): void {
		this.#world.count("disk-erased");
		this.#tree.clear();
		this.#atRisk.clear();
	}

	/** Paths and sizes of all files, as a process would see them. */
	files(): { readonly path: string; readonly sizeBytes: number }[] {
		return this.#tree.files().map(([path, file]) => ({ path, sizeBytes: file.size }));
	}

	/**
	 * Flips one random bit in one of the files that `select` admits; with `sparesRecent` not in what may belong to the last write
	 * of a file that was appended to. Undefined if there was none.
	 */
	flipRandomBit(
		select: (path: string) => boolean = () => true,
		sparesRecent = false,
	): { readonly where: string; undo(): void } | undefined {
		const sizeOf = (file: SimFile): number => (sparesRecent ? file.settledSize : file.size);
		const files = this.#tree.files().filter(([path, file]) => sizeOf(file) > 0 && select(path));
		if (files.length === 0) return undefined;
		const [path, file] = this.#random.pick(files);
		const bit = this.#random.below(sizeOf(file) * 8);
		const undo = file.flipBit(bit);
		this.#world.count("bit-flip");
		return { where: `${path} byte ${bit >> 3}`, undo };
	}

	/** `root`: the directory that its paths are below. */
	forProcess(process: SimProcess, root = ""): Disk {
		const normalize = (path: string): string => normalized(`${root}/${path}`);
		return {
			root: undefined,
			open: (path, mode) => this.#open(process, normalize(path), mode, false),
			openDurable: (path, mode) => this.#open(process, normalize(path), mode, true),
			list: (path) => {
				const directory = normalize(path);
				return this.#do(process, "list", directory, () => this.#tree.list(directory));
			},
			makeDirectory: (path) => this.#makeDirectory(process, normalize(path)),
			remove: (path) => this.#remove(process, normalize(path)),
			replace: (path, bytes) => this.#replace(process, normalize(path), new Uint8Array(bytes)),
			readWhole: (path) => {
				const at = normalize(path);
				return this.#do(process, "read", at, () => {
					const entry = this.#tree.get(at);
					return entry instanceof SimFile ? entry.read(0, entry.size) : undefined;
				});
			},
			syncDirectory: (path) => this.#syncDirectory(process, normalize(path)),
			space: () => Promise.resolve(this.#space()),
			lock: (path) => this.#lock(process, normalize(path)),
		};
	}

	processEnded(process: SimProcess | undefined, kind: CrashKind): void {
		for (const [path, holder] of this.#locks) if (holder === process) this.#locks.delete(path);
		this.#settleReplacements();
		for (const file of [...this.#atRisk]) {
			const damaged =
				kind === "power" ? file.losePower(this.#random) : file.loseProcess(this.#random);
			if (damaged.lost > 0) this.#world.count("lost-write", damaged.lost);
			if (damaged.torn > 0) this.#world.count("torn-write", damaged.torn);
			if (kind === "power") {
				file.makeDurable();
				this.#atRisk.delete(file);
			}
		}
		if (kind === "power") {
			const lost = this.#tree.losePower(this.#random);
			for (let i = 0; i < lost; i++) this.#world.count("lost-name");
		}
	}

	/** Replacements that were under way have happened or not. */
	#settleReplacements(): void {
		const underWay = [...this.#replacements];
		this.#replacements.clear();
		for (const { path, bytes } of underWay) {
			const outcome = this.#random.float();
			if (outcome < 0.5) this.#finishReplace(path, bytes);
			else if (outcome < 0.75) {
				const torn = new SimFile();
				torn.write(bytes.subarray(0, this.#random.below(bytes.length + 1)), 0);
				torn.makeDurable();
				this.#tree.set(path + REPLACE_SUFFIX, torn);
			}
		}
	}

	#open(
		process: SimProcess,
		path: string,
		mode: "create" | "existing",
		isDurable: boolean,
	): Promise<DiskFile> {
		return this.#do(process, "open", path, () => {
			const entry = this.#tree.get(path);
			if (entry === "directory") throw codedError("EISDIR", path);
			if (entry !== undefined) return this.#handle(process, path, entry, isDurable);
			if (mode === "existing" || this.#tree.get(parentOf(path)) !== "directory") {
				throw codedError("ENOENT", `no such file: ${path}`);
			}
			const file = new SimFile();
			this.#tree.set(path, file);
			return this.#handle(process, path, file, isDurable);
		});
	}

	#handle(process: SimProcess, path: string, file: SimFile, isDurable: boolean): DiskFile {
		return {
			write: async (bytes, offset) => {
				await this.#write(process, path, file, bytes, offset);
				if (isDurable) await this.#sync(process, path, file);
			},
			read: (offset, length) => this.#do(process, "read", path, () => file.read(offset, length)),
			sync: () => this.#sync(process, path, file),
			truncate: (size) => {
				let change: Change | undefined;
				return this.#do(
					process,
					"truncate",
					path,
					() => {
						change!.completed = true;
					},
					() => {
						change = file.truncate(size);
						this.#atRisk.add(file);
					},
				);
			},
			size: () => this.#do(process, "read", path, () => file.size),
			close: () => this.#do(process, "read", path, () => undefined),
		};
	}

	#write(
		process: SimProcess,
		path: string,
		file: SimFile,
		bytes: Uint8Array,
		offset: number,
	): Promise<void> {
		let change: Change | undefined;
		let noSpace = false;
		return this.#do(
			process,
			"write",
			path,
			() => {
				if (change !== undefined) change.completed = true;
				if (noSpace) throw codedError("ENOSPC", `no space left on device: ${path}`);
			},
			(failed) => {
				noSpace = this.#usedBytes(file, offset + bytes.length) > this.faults.capacityBytes;
				if (noSpace) this.#world.count("ENOSPC");
				// A write that fails may have got some way.
				const partial = failed || noSpace;
				const count = partial ? this.#random.below(bytes.length + 1) : bytes.length;
				change = file.write(bytes.subarray(0, count), offset);
				change.completed = failed;
				this.#atRisk.add(file);
				this.#world.trace.mixBytes(bytes);
			},
		);
	}

	/** Undefined where nobody has said how much there is. */
	#space(): DiskSpace | undefined {
		const sizeBytes = this.faults.capacityBytes;
		if (sizeBytes === Number.POSITIVE_INFINITY) return undefined;
		let used = this.faults.othersBytes;
		for (const [, file] of this.#tree.files()) used += file.size;
		return { freeBytes: Math.max(0, sizeBytes - used), sizeBytes };
	}

	#usedBytes(growing: SimFile, newSize: number): number {
		if (this.faults.capacityBytes === Number.POSITIVE_INFINITY || newSize <= growing.size) return 0;
		let used = newSize - growing.size + this.faults.othersBytes;
		for (const [, file] of this.#tree.files()) used += file.size;
		return used;
	}

	#sync(process: SimProcess, path: string, file: SimFile): Promise<void> {
		let covered: Change[] = [];
		return this.#do(
			process,
			"sync",
			path,
			() => {
				file.synced(covered);
				if (file.isDurable) this.#atRisk.delete(file);
			},
			(failed) => {
				covered = file.syncable();
				if (failed) file.syncFailed(covered);
			},
		);
	}

	#makeDirectory(process: SimProcess, path: string): Promise<void> {
		return this.#do(process, "makeDirectory", path, () => {
			const parts = path.split("/");
			for (let i = 1; i <= parts.length; i++) {
				const at = parts.slice(0, i).join("/");
				const entry = this.#tree.get(at);
				if (entry instanceof SimFile) throw codedError("EEXIST", at);
				if (entry === undefined) this.#tree.set(at, "directory");
				this.#tree.syncPath(at);
			}
		});
	}

	#remove(process: SimProcess, path: string): Promise<void> {
		return this.#do(process, "remove", path, () => {
			const entry = this.#tree.get(path);
			if (entry === undefined) throw codedError("ENOENT", `no such file: ${path}`);
			if (entry === "directory") {
				for (const inside of this.#tree.below(path)) this.#tree.set(inside, undefined);
			}
			this.#tree.set(path, undefined);
		});
	}

	#replace(process: SimProcess, path: string, bytes: Uint8Array): Promise<void> {
		const replacement: Replacement = { process, path, bytes };
		return this.#do(
			process,
			"replace",
			path,
			() => {
				this.#replacements.delete(replacement);
				this.#finishReplace(path, bytes);
			},
			(failed) => {
				if (this.#tree.get(parentOf(path)) !== "directory") {
					throw codedError("ENOENT", `no such directory: ${parentOf(path)}`);
				}
				this.#world.trace.mixBytes(bytes);
				if (!failed) this.#replacements.add(replacement);
			},
		);
	}

	#finishReplace(path: string, bytes: Uint8Array): void {
		const file = new SimFile();
		file.write(bytes, 0);
		file.makeDurable();
		this.#tree.set(path, file);
		this.#tree.syncPath(path);
	}

	#syncDirectory(process: SimProcess, path: string): Promise<void> {
		return this.#do(process, "syncDirectory", path, () => {
			if (this.#tree.get(path) !== "directory") throw codedError("ENOENT", path);
			this.#tree.sync(path);
		});
	}

	#lock(process: SimProcess, path: string): Promise<{ release(): Promise<void> } | undefined> {
		if (this.#locks.has(path)) return Promise.resolve(undefined);
		if (process.alive) this.#locks.set(path, process);
		return Promise.resolve({
			release: () => {
				if (this.#locks.get(path) === process) this.#locks.delete(path);
				return Promise.resolve();
			},
		});
	}

	/**
	 * One operation: `begin` happens at the call, `finish` when it returns, some time later, if the process still lives.
	 * `begin` learns whether the operation is going to fail.
	 */
	#do<T>(
		process: SimProcess,
		operation: DiskOperation,
		path: string,
		finish: () => T,
		begin?: (failed: boolean) => void,
	): Promise<T> {
		return new Promise((resolve, reject) => {
			if (!process.alive) return;
			this.onOperation?.(operation, path);
			if (!process.alive) return;
			const code = this.#failure(operation, path);
			let thrown: unknown;
			try {
				begin?.(code !== undefined);
			} catch (error) {
				thrown = error;
			}
			const atUs = this.#world.nowUs + this.#durationUs(operation);
			this.#world.push(atUs, EVENT_DISK, process, () => {
				if (thrown !== undefined) {
					reject(thrown);
					return;
				}
				if (code !== undefined) {
					reject(codedError(code, `${operation} ${path}`));
					return;
				}
				try {
					resolve(finish());
				} catch (error) {
					reject(error);
				}
			});
		});
	}

	#failure(operation: DiskOperation, path: string): string | undefined {
		const queued = this.#failNext.findIndex(
			(f) => f.operation === operation && (f.path === undefined || f.path === path),
		);
		if (queued >= 0) {
			const [fault] = this.#failNext.splice(queued, 1);
			this.#world.count(`${fault!.code}-${operation}`);
			return fault!.code;
		}
		const rate = this.#errorRate(operation);
		if (!this.#random.chance(rate)) return undefined;
		const code = isSync(operation) ? this.faults.syncError : "EIO";
		this.#world.count(`${code}-${operation}`);
		return code;
	}

	#errorRate(operation: DiskOperation): number {
		switch (operation) {
			case "write":
			case "truncate":
			case "replace":
				return this.faults.writeErrorRate;
			case "sync":
			case "syncDirectory":
				return this.faults.syncErrorRate;
			case "read":
				return this.faults.readErrorRate;
			default:
				return 0;
		}
	}

	#durationUs(operation: DiskOperation): number {
		const options = this.#world.diskOptions;
		const syncs = operation === "sync" || operation === "replace" || operation === "syncDirectory";
		if (!syncs) {
			return Math.ceil(options.accessUsMin + this.#random.exponential(options.accessUsMean));
		}
		if (this.#random.chance(this.faults.slowSyncRate)) {
			this.#world.count("slow-sync");
			return Math.ceil(this.faults.slowSyncMs * 1000);
		}
		return Math.ceil(options.syncUsMin + this.#random.exponential(options.syncUsMean));
	}
}
