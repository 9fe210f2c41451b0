/**
 * The directory of a chain of backups, on the machine of the node that runs the statement:
 *
 *     0001.plan          what the first backup is going to be; only while it is not finished
 *     0001-000001.data   its data, in files of some megabytes
 *     0001.manifest      what it is, and a list of its files; with it the backup is there
 *     0002.manifest ...  the first incremental one on top of it
 *
 * Every file appears under its name whole and synced, or not at all (`Disk.replace`). Files of other names are left alone.
 *
 * What a superuser of the database names here, the process of the node reads and writes, with the rights that it has. So it has to lie
 * below the directory that whoever started the node has named (`--backup-root`), and never in the node's own data; symbolic links are
 * resolved before that is judged, and what is resolved is what is used.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Disk, Runtime } from "@quorate/runtime/runtime";
import { type DataFile, decodeDataFile } from "./data-file.ts";
import {
	type BackupPlan,
	type DataFileEntry,
	endPlace,
	type Manifest,
	type Place,
	samePlace,
	startPlace,
} from "./plan.ts";
import { checksumOf, damaged, sealJson, unsealJson } from "./sealed-file.ts";

const planName = (backup: number): string => `${padded(backup, 4)}.plan`;
const manifestName = (backup: number): string => `${padded(backup, 4)}.manifest`;
const dataName = (backup: number, file: number): string =>
	`${padded(backup, 4)}-${padded(file, 6)}.data`;
const padded = (value: number, width: number): string => String(value).padStart(width, "0");

const ownName = /^(\d{4,})(?:\.(plan|manifest)|-(\d{6,})\.data)$/;

/** What is in it. */
export interface Chain {
	/** Finished, in order: each goes on where the one before it ends. */
	readonly backups: readonly Manifest[];
	/** Begun, after the last of them. `damaged`: it does not say what it was to be. */
	readonly unfinished: BackupPlan | "damaged" | undefined;
}

/** What a node says about where backups may be. */
export interface BackupPlaces {
	readonly runtime: Pick<Runtime, "disk" | "files">;
	/** Absolute; undefined: anywhere but in the node's data. */
	readonly backupRoot: string | undefined;
}

/** Relative to "/". */
async function realPath(files: Disk, path: string): Promise<string> {
	const plain = path
		.split("/")
		.filter((part) => part !== "" && part !== ".")
		.join("/");
	return files.realPath === undefined ? plain : files.realPath(plain);
}

const isWithin = (path: string, directory: string): boolean =>
	path === directory || path.startsWith(`${directory}/`);

export class BackupDirectory {
	/** As the statement has it. */
	readonly path: string;
	readonly #disk: Disk;
	readonly #at: string;

	private constructor(disk: Disk, path: string, at: string) {
		this.path = path;
		this.#disk = disk;
		this.#at = at;
	}

	/** Throws 42602 for a path that is not absolute, 42501 for one that leads elsewhere than it may. */
	static async named(services: BackupPlaces, path: string): Promise<BackupDirectory> {
		if (!path.startsWith("/") || path.split("/").includes("..") || path.includes("\0")) {
			throw new DatabaseError("42602", `"${path}" is not an absolute path`, {
				hint: "Name a directory on the machine of the node that you are connected to.",
			});
		}
		const { files, disk } = services.runtime;
		const at = await realPath(files, path).catch((error: unknown) => {
			throw asDatabaseError(error, path);
		});
		if (at === "") {
			throw new DatabaseError("42602", "the root directory cannot hold a backup");
		}
		const { backupRoot = "/" } = services;
		const root = await realPath(files, backupRoot);
		if (root !== "" && !isWithin(at, root)) {
			throw new DatabaseError("42501", `the directory "${path}" is not below ${backupRoot}`, {
				hint: "The node was started with --backup-root: name a directory below it.",
			});
		}
		if (files.realPath !== undefined && disk.root !== undefined) {
			if (isWithin(at, await realPath(files, disk.root))) {
				throw new DatabaseError("42501", `the directory "${path}" is part of the node's own data`);
			}
		}
		return new BackupDirectory(files, path, at);
	}

	/** Made if it is missing. Throws 55006 where another statement writes to it, 42501 where a link has come to be on the way. */
	async open(): Promise<{ release(): Promise<void> }> {
		await this.#io(() => this.#disk.makeDirectory(this.#at));
		await this.#requireNoLink(this.#at);
		const lock = await this.#io(() => this.#disk.lock(this.#at));
		if (lock !== undefined) return lock;
		throw new DatabaseError("55006", `another backup is being written to "${this.path}"`);
	}

	/** Throws XX001 for a damaged or missing manifest. Data files are not looked at. */
	async chain(): Promise<Chain> {
		const names = await this.#io(() => this.#disk.list(this.#at));
		const found = names.flatMap((name) => {
			const [, backup, kind] = ownName.exec(name) ?? [];
			return backup === undefined ? [] : [{ backup: Number(backup), kind: kind ?? "data" }];
		});
		const last = found.reduce((most, { backup }) => Math.max(most, backup), 0);
		const isUnfinished =
			found.some(({ backup, kind }) => backup === last && kind === "plan") &&
			!found.some(({ backup, kind }) => backup === last && kind === "manifest");
		const backups: Manifest[] = [];
		for (let number = 1; number <= (isUnfinished ? last - 1 : last); number++) {
			backups.push(await this.#manifest(number, backups.at(-1)));
		}
		return { backups, unfinished: isUnfinished ? await this.#plan(last) : undefined };
	}

	/** As `chain`, of a directory that must have a finished one. Throws 58P01. */
	async finished(): Promise<Chain> {
		const chain = await this.chain();
		if (chain.backups.length > 0) return chain;
		throw new DatabaseError("58P01", `there is no finished backup in "${this.path}"`);
	}

	async #manifest(number: number, before: Manifest | undefined): Promise<Manifest> {
		const name = manifestName(number);
		const bytes = await this.#read(name);
		const manifest = unsealJson<Manifest>("manifest", name, bytes);
		const isNext =
			manifest.number === number &&
			manifest.parent === before?.id &&
			(before === undefined || manifest.after === before.upTo);
		if (!isNext) throw damaged(name, "It does not belong to the backup before it.");
		let at: Place = startPlace;
		for (const { from, to } of manifest.files) {
			if (!samePlace(from, at)) throw damaged(name, "Its list of files has a gap.");
			at = to;
		}
		if (!samePlace(at, endPlace(manifest))) throw damaged(name, "Its list of files has no end.");
		return manifest;
	}

	async #plan(number: number): Promise<BackupPlan | "damaged"> {
		const name = planName(number);
		try {
			return unsealJson<BackupPlan>("plan", name, await this.#read(name));
		} catch (error) {
			if (error instanceof DatabaseError && error.code === "XX001") return "damaged";
			throw error;
		}
	}

	async #read(name: string): Promise<Uint8Array> {
		const bytes = await this.#readIfThere(name);
		if (bytes === undefined) throw damaged(name, "It is missing.");
		return bytes;
	}

	async #readIfThere(name: string): Promise<Uint8Array | undefined> {
		const at = `${this.#at}/${name}`;
		await this.#requireNoLink(at);
		return this.#io(() => this.#disk.readWhole(at));
	}

	async #requireNoLink(at: string): Promise<void> {
		if ((await this.#io(() => realPath(this.#disk, at))) === at) return;
		throw new DatabaseError("42501", `"/${at}" leads elsewhere by a symbolic link`);
	}

	/** A file of a finished backup. Throws XX001. */
	async data(backup: Manifest, file: number): Promise<DataFile> {
		const name = dataName(backup.number, file);
		const entry = backup.files[file - 1]!;
		const bytes = await this.#read(name);
		const data = decodeDataFile(name, bytes);
		const { head } = data;
		const isListed =
			bytes.length === entry.bytes &&
			checksumOf(bytes) === entry.checksum &&
			head.backup === backup.id &&
			head.file === file &&
			samePlace(head.from, entry.from) &&
			samePlace(head.to, entry.to);
		if (!isListed) throw damaged(name, "It is not the file that the manifest lists.");
		return data;
	}

	/** Of an unfinished backup: the file that begins at `from`, if it is there and whole. */
	async finishedFile(
		plan: BackupPlan,
		file: number,
		from: Place,
	): Promise<DataFileEntry | undefined> {
		const name = dataName(plan.number, file);
		const bytes = await this.#readIfThere(name);
		if (bytes === undefined) return undefined;
		try {
			const { head } = decodeDataFile(name, bytes);
			const isNext = head.backup === plan.id && head.file === file && samePlace(head.from, from);
			return isNext ? entryOf(bytes, head) : undefined;
		} catch (error) {
			if (error instanceof DatabaseError && error.code === "XX001") return undefined;
			throw error;
		}
	}

	async writePlan(plan: BackupPlan): Promise<void> {
		await this.#write(planName(plan.number), sealJson("plan", plan));
	}

	async writeData(
		backup: number,
		head: DataFile["head"],
		bytes: Uint8Array,
	): Promise<DataFileEntry> {
		await this.#write(dataName(backup, head.file), bytes);
		return entryOf(bytes, head);
	}

	/** With it the backup is there. What is left of an attempt that was longer goes first. */
	async writeManifest(manifest: Manifest): Promise<void> {
		const { number, files } = manifest;
		await this.#remove(
			(backup, kind, file) => backup === number && kind === "data" && file > files.length,
		);
		await this.#write(manifestName(number), sealJson("manifest", manifest));
		await this.#remove((backup, kind) => backup === number && kind === "plan");
	}

	/** Its plan goes last: files without one would be a backup that has lost its manifest. */
	async discard(number: number): Promise<void> {
		await this.#remove((backup, kind) => backup === number && kind === "data");
		await this.#remove((backup) => backup === number);
	}

	async #remove(select: (backup: number, kind: string, file: number) => boolean): Promise<void> {
		for (const name of await this.#io(() => this.#disk.list(this.#at))) {
			const [, backup, kind, file] = ownName.exec(name) ?? [];
			if (backup === undefined) continue;
			if (!select(Number(backup), kind ?? "data", Number(file ?? 0))) continue;
			await this.#io(() => this.#disk.remove(`${this.#at}/${name}`));
		}
		await this.#io(() => this.#disk.syncDirectory(this.#at));
	}

	#write(name: string, bytes: Uint8Array): Promise<void> {
		return this.#io(() => this.#disk.replace(`${this.#at}/${name}`, bytes));
	}

	async #io<T>(task: () => Promise<T>): Promise<T> {
		try {
			return await task();
		} catch (error) {
			throw asDatabaseError(error, this.path);
		}
	}
}

const entryOf = (bytes: Uint8Array, head: DataFile["head"]): DataFileEntry => ({
	bytes: bytes.length,
	checksum: checksumOf(bytes),
	changes: head.changes,
	from: head.from,
	to: head.to,
});

const codes: Readonly<Record<string, string>> = {
	ENOENT: "58P01",
	EACCES: "42501",
	EPERM: "42501",
	EROFS: "42501",
	ENOSPC: "53100",
	EDQUOT: "53100",
};

function asDatabaseError(error: unknown, path: string): unknown {
	const code = (error as { readonly code?: unknown } | undefined)?.code;
	if (error instanceof DatabaseError || typeof code !== "string") return error;
	return new DatabaseError(codes[code] ?? "58030", `cannot use the directory "${path}": ${code}`, {
		detail: (error as Error).message,
	});
}
