/**
 * What RocksDB's files were known to hold: the notes that find what RocksDB does not.
 *
 * The manifest says which tables exist. A record that is cut off its end, or that is damaged so that it looks cut, is dropped by
 * RocksDB without a word, and with it the table that the record named, whose log has long been deleted. And a log that is gone, or
 * has lost its beginning, is not missed. Either leaves a hole that no applied index shows, since newer logs are replayed on
 * top. So it is noted, in a file beside the directory, how long the manifest was and what its checksum was, and with which sequence
 * number each log begins: at the next start it must be so still, but for logs that are in tables since.
 *
 *  1. What is noted was synced before: a power loss leaves no manifest that is shorter, and no log that begins later.
 *  2. A manifest only grows, and is replaced only by one with a higher number.
 *  3. Without a readable note nothing is checked. It may lag: by what was written in the last half second before a kill.
 */
import { crc32 } from "node:zlib";
import type { Disk } from "@quorate/runtime/runtime";
import { firstSequence, liveLogsFrom, logName, logNumbers, logsAfterGap } from "./rocks-log.ts";

const magic = "quorate-engine";
const format = 2;
const namePattern = /^MANIFEST-(\d+)\n$/;

interface Note {
	readonly name: string;
	readonly sizeBytes: number;
	readonly checksum: number;
	/** Number of each log that held something, and the sequence number that it begins with. */
	readonly logs: ReadonlyMap<number, number>;
}

const notePath = (path: string): string => `${path}.manifest`;

/** What `CURRENT` names; undefined where it names nothing. */
export async function currentManifest(disk: Disk, path: string): Promise<string | undefined> {
	const current = await disk.readWhole(`${path}/CURRENT`);
	const text = current === undefined ? "" : Buffer.from(current).toString("latin1");
	return namePattern.test(text) ? text.trimEnd() : undefined;
}

const numberOf = (name: string): number => Number(name.slice(name.indexOf("-") + 1));

function encode({ name, sizeBytes, checksum, logs }: Note): Buffer {
	const pairs = [...logs].map((pair) => pair.join(":")).join(",");
	const text = `${magic} ${format} ${name} ${sizeBytes} ${checksum} ${pairs || "-"}`;
	return Buffer.from(`${text} ${crc32(text)}\n`, "latin1");
}

async function readNote(disk: Disk, path: string): Promise<Note | undefined> {
	const bytes = await disk.readWhole(notePath(path));
	const text = bytes === undefined ? "" : Buffer.from(bytes).toString("latin1");
	const end = Math.max(0, text.lastIndexOf(" ", text.length - 2));
	const [start, version, name = "", size, checksum, pairs = "-"] = text.slice(0, end).split(" ");
	const isValid =
		start === magic &&
		Number(version) === format &&
		Number(text.slice(end + 1)) === crc32(text.slice(0, end));
	if (!isValid) {
		return undefined;
	}
	const logs = pairs === "-" ? [] : pairs.split(",").map((pair) => pair.split(":").map(Number));
	return {
		name,
		sizeBytes: Number(size),
		checksum: Number(checksum),
		logs: new Map(logs as [number, number][]),
	};
}

/** Before the database is opened. Returns what is wrong, naming the file. */
export async function checkNotes(disk: Disk, path: string): Promise<string | undefined> {
	const note = await readNote(disk, path);
	const name = await currentManifest(disk, path);
	if (name === undefined) {
		return note && `${path}/CURRENT names no manifest; it was ${note.name}`;
	}
	const manifest = await disk.readWhole(`${path}/${name}`);
	if (manifest === undefined) {
		return `${path}/${name} is missing`;
	}
	const wrong = note && wrongManifest(path, note, name, manifest);
	if (wrong !== undefined) {
		return wrong;
	}
	const live = liveLogsFrom(Buffer.from(manifest.buffer, manifest.byteOffset, manifest.byteLength));
	for (const [number, first] of note?.logs ?? []) {
		const log = `${path}/${logName(number)}`;
		if (number >= live && (await firstSequence(disk, log)) !== first) {
			return `${log} is missing, or has lost its beginning`;
		}
	}
	return undefined;
}

function wrongManifest(
	path: string,
	note: Note,
	name: string,
	manifest: Uint8Array,
): string | undefined {
	if (numberOf(name) !== numberOf(note.name)) {
		return numberOf(name) > numberOf(note.name)
			? undefined
			: `${path}/CURRENT names ${name}, and has named ${note.name}`;
	}
	if (manifest.length < note.sizeBytes) {
		return `${path}/${name} has ${manifest.length} bytes, and had ${note.sizeBytes}`;
	}
	return crc32(manifest.subarray(0, note.sizeBytes)) === note.checksum
		? undefined
		: `${path}/${name} has changed within its first ${note.sizeBytes} bytes`;
}

/** Removes logs that come after a gap: what is left is the effect of a prefix of the writes. Returns their names. */
export async function cutAtGap(disk: Disk, path: string): Promise<readonly string[]> {
	const name = await currentManifest(disk, path);
	const manifest = name && (await disk.readWhole(`${path}/${name}`));
	if (!manifest) {
		return [];
	}
	const from = liveLogsFrom(Buffer.from(manifest.buffer, manifest.byteOffset, manifest.byteLength));
	const live = logNumbers(await disk.list(path)).filter((number) => number >= from);
	const cut = await logsAfterGap(disk, path, live);
	// The last first: a crash between leaves no new gap.
	for (const number of [...cut].reverse()) {
		await disk.remove(`${path}/${logName(number)}`);
	}
	if (cut.length > 0) {
		await disk.syncDirectory(path);
	}
	return cut.map(logName);
}

/** Of one open database. */
export class EngineNotes {
	readonly #disk: Disk;
	readonly #path: string;
	#noted: Note | undefined;
	#last: Promise<void> = Promise.resolve();

	constructor(disk: Disk, path: string) {
		this.#disk = disk;
		this.#path = path;
	}

	/** Notes what is there now, if it has changed. Calls go one after the other. */
	note(): Promise<void> {
		const run = this.#last.catch(() => undefined).then(() => this.#note());
		this.#last = run;
		return run;
	}

	async #note(): Promise<void> {
		const name = this.#noted?.name ?? (await currentManifest(this.#disk, this.#path));
		if (name === undefined) {
			return;
		}
		const logs = await this.#readLogs();
		const manifest = await this.#readManifest(name);
		const isNew = manifest !== undefined || logs.size !== this.#noted?.logs.size;
		const { sizeBytes, checksum } = manifest ?? this.#noted ?? { sizeBytes: 0, checksum: 0 };
		const note = { name, sizeBytes, checksum, logs };
		if (isNew || [...logs.keys()].some((number) => !this.#noted?.logs.has(number))) {
			await this.#disk.syncDirectory(this.#path);
			await this.#disk.replace(notePath(this.#path), encode(note));
			this.#noted = note;
		}
	}

	/** Undefined where it is as it was noted. */
	async #readManifest(
		name: string,
	): Promise<{ readonly sizeBytes: number; readonly checksum: number } | undefined> {
		const file = await this.#disk.open(`${this.#path}/${name}`, "existing");
		try {
			const sizeBytes = await file.size();
			if (sizeBytes === this.#noted?.sizeBytes) {
				return undefined;
			}
			const bytes = await file.read(0, sizeBytes);
			await file.sync();
			return { sizeBytes: bytes.length, checksum: crc32(bytes) };
		} finally {
			await file.close();
		}
	}

	async #readLogs(): Promise<Map<number, number>> {
		const logs = new Map<number, number>();
		for (const number of logNumbers(await this.#disk.list(this.#path))) {
			const first = this.#noted?.logs.get(number) ?? (await this.#beginningOf(number));
			if (first !== undefined) {
				logs.set(number, first);
			}
		}
		return logs;
	}

	/** Undefined where it holds nothing, or went meanwhile: what it held is in tables then. */
	async #beginningOf(number: number): Promise<number | undefined> {
		const log = `${this.#path}/${logName(number)}`;
		const first = await firstSequence(this.#disk, log);
		if (first === undefined) {
			return undefined;
		}
		const file = await this.#disk.open(log, "existing").catch(() => undefined);
		if (file === undefined) {
			return undefined;
		}
		try {
			await file.sync();
		} finally {
			await file.close();
		}
		return first;
	}
}
