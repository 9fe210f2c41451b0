/**
 * What RocksDB's manifest was known to hold. The manifest says which tables exist; a record that is cut off its end, or that is
 * damaged so that it looks cut, is dropped by RocksDB without a word, and with it the table that the record named, whose log has
 * long been deleted: a hole that no applied index shows. So it is noted, in a file beside the directory, how long the manifest was
 * and what its checksum was; at the next start it must begin with the same.
 *
 *  1. What is noted was synced before: a power loss leaves no manifest that is shorter.
 *  2. A manifest only grows, and is replaced only by one with a higher number.
 *  3. Without a readable note nothing is checked.
 */
import { crc32 } from "node:zlib";
import type { Disk } from "@quorate/runtime/runtime";

const magic = "quorate-manifest";
const format = 1;
const namePattern = /^MANIFEST-(\d+)\n$/;

interface Note {
	readonly name: string;
	readonly sizeBytes: number;
	readonly checksum: number;
}

export const notePath = (path: string): string => `${path}.manifest`;

/** What `CURRENT` names; undefined where it names nothing. */
export async function currentManifest(disk: Disk, path: string): Promise<string | undefined> {
	const current = await disk.readWhole(`${path}/CURRENT`);
	const text = current === undefined ? "" : Buffer.from(current).toString("latin1");
	return namePattern.test(text) ? text.trimEnd() : undefined;
}

const numberOf = (name: string): number => Number(name.slice(name.indexOf("-") + 1));

async function readNote(disk: Disk, path: string): Promise<Note | undefined> {
	const bytes = await disk.readWhole(notePath(path));
	const text = bytes === undefined ? "" : Buffer.from(bytes).toString("latin1");
	const end = text.lastIndexOf(" ", text.length - 2);
	const [name, version, manifest, size, checksum] = text.slice(0, Math.max(0, end)).split(" ");
	const isValid =
		name === magic &&
		Number(version) === format &&
		Number(text.slice(end + 1)) === crc32(text.slice(0, end));
	return isValid
		? { name: manifest as string, sizeBytes: Number(size), checksum: Number(checksum) }
		: undefined;
}

/** Before the database is opened. Returns what is wrong, naming the file. */
export async function checkManifest(disk: Disk, path: string): Promise<string | undefined> {
	const note = await readNote(disk, path);
	if (note === undefined) {
		return undefined;
	}
	const name = await currentManifest(disk, path);
	if (name === undefined) {
		return `${path}/CURRENT names no manifest; it was ${note.name}`;
	}
	if (numberOf(name) !== numberOf(note.name)) {
		return numberOf(name) > numberOf(note.name)
			? undefined
			: `${path}/CURRENT names ${name}, and has named ${note.name}`;
	}
	const bytes = await disk.readWhole(`${path}/${name}`);
	if (bytes === undefined) {
		return `${path}/${name} is missing`;
	}
	if (bytes.length < note.sizeBytes) {
		return `${path}/${name} has ${bytes.length} bytes, and had ${note.sizeBytes}`;
	}
	return crc32(bytes.subarray(0, note.sizeBytes)) === note.checksum
		? undefined
		: `${path}/${name} has changed within its first ${note.sizeBytes} bytes`;
}

/** Of one open database. */
export class ManifestNotes {
	readonly #disk: Disk;
	readonly #path: string;
	#noted: Note | undefined;
	#last: Promise<void> = Promise.resolve();

	constructor(disk: Disk, path: string) {
		this.#disk = disk;
		this.#path = path;
	}

	/** Notes the manifest as it is now, if it has grown. Calls go one after the other. */
	note(): Promise<void> {
		const run = this.#last.catch(() => undefined).then(() => this.#note());
		this.#last = run;
		return run;
	}

	async #note(): Promise<void> {
		const disk = this.#disk;
		const name = this.#noted?.name ?? (await currentManifest(disk, this.#path));
		if (name === undefined) {
			return;
		}
		const file = await disk.open(`${this.#path}/${name}`, "existing");
		let bytes: Uint8Array;
		try {
			const sizeBytes = await file.size();
			if (sizeBytes === this.#noted?.sizeBytes) {
				return;
			}
			bytes = await file.read(0, sizeBytes);
			await file.sync();
		} finally {
			await file.close();
		}
		const note = { name, sizeBytes: bytes.length, checksum: crc32(bytes) };
		const text = `${magic} ${format} ${name} ${note.sizeBytes} ${note.checksum}`;
		await disk.replace(notePath(this.#path), Buffer.from(`${text} ${crc32(text)}\n`, "latin1"));
		this.#noted = note;
	}
}
