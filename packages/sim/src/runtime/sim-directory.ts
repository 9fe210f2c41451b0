/** The names on a disk. A name that was created, removed or replaced is durable only after its directory was synced. */
import type { SeededRandom } from "./seeded-random.ts";
import type { SimFile } from "./sim-file.ts";

export type Entry = SimFile | "directory";

/** `a/b`, without empty parts and dots; the root is "". */
export const normalize = (path: string): string =>
	path
		.split("/")
		.filter((part) => part !== "" && part !== ".")
		.join("/");

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

export class SimDirectoryTree {
	readonly #entries = new Map<string, Entry>();
	readonly #durable = new Map<string, Entry>();
	/** By path: what the name stood for after each change since it was last durable. */
	readonly #pending = new Map<string, (Entry | undefined)[]>();

	get(path: string): Entry | undefined {
		return path === "" ? "directory" : this.#entries.get(path);
	}

	set(path: string, entry: Entry | undefined): void {
		if (entry === undefined) this.#entries.delete(path);
		else this.#entries.set(path, entry);
		const changes = this.#pending.get(path);
		if (changes === undefined) this.#pending.set(path, [entry]);
		else changes.push(entry);
	}

	/** Paths below a directory, in order. */
	below(directory: string): string[] {
		const prefix = directory === "" ? "" : `${directory}/`;
		return [...this.#entries.keys()].filter((p) => p.startsWith(prefix)).sort();
	}

	/** Names directly in a directory, in order. */
	list(directory: string): string[] {
		return this.below(directory)
			.filter((path) => parentOf(path) === directory)
			.map((path) => path.slice(directory === "" ? 0 : directory.length + 1));
	}

	sync(directory: string): void {
		for (const path of [...this.#pending.keys()]) {
			if (parentOf(path) === directory) this.syncPath(path);
		}
	}

	syncPath(path: string): void {
		const entry = this.#entries.get(path);
		if (entry === undefined) this.#durable.delete(path);
		else this.#durable.set(path, entry);
		this.#pending.delete(path);
	}

	/** Of the changes of each name some first part survives. Answers how many names went back in time. */
	losePower(random: SeededRandom): number {
		let lost = 0;
		for (const [path, changes] of this.#pending) {
			const kept = random.below(changes.length + 1);
			if (kept < changes.length) lost++;
			const entry = kept === 0 ? this.#durable.get(path) : changes[kept - 1];
			if (entry === undefined) this.#entries.delete(path);
			else this.#entries.set(path, entry);
		}
		this.#pending.clear();
		for (const path of this.below("")) {
			if (this.get(parentOf(path)) !== "directory") this.#entries.delete(path);
		}
		this.#durable.clear();
		for (const [path, entry] of this.#entries) this.#durable.set(path, entry);
		return lost;
	}

	files(): [string, SimFile][] {
		const result: [string, SimFile][] = [];
		for (const path of this.below("")) {
			const entry = this.#entries.get(path)!;
			if (entry !== "directory") result.push([path, entry]);
		}
		return result;
	}

	clear(): void {
		this.#entries.clear();
		this.#durable.clear();
		this.#pending.clear();
	}
}
