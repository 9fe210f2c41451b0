/**
 * A wall clock that is wrong below the process, as far as it can tell: libfaketime stands between it and the C library.
 * Nothing of the node takes part, so the program is `quorate start` itself. The library is Debian's package libfaketime.
 */
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";

const library = ((): string | undefined => {
	const root = "/usr/lib";
	if (!existsSync(root)) return undefined;
	const paths = readdirSync(root).map((name) => `${root}/${name}/faketime/libfaketime.so.1`);
	return [...paths, `${root}/faketime/libfaketime.so.1`].find((path) => existsSync(path));
})();

/** Why clocks cannot be faked here; undefined where they can. */
export function fakedClocksImpossible(): string | undefined {
	return library === undefined
		? "libfaketime is not installed (Debian: apt-get install libfaketime)"
		: undefined;
}

export class FakedClock {
	readonly #path: string;

	/** `path`: of a file of its own, which the process reads whenever it asks for the time. */
	constructor(path: string) {
		this.#path = path;
		this.set(0, 1);
	}

	/** What the process is started with. Monotonic time stays right; what a timer waits goes by the wrong rate. */
	get environment(): Readonly<Record<string, string>> {
		return {
			LD_PRELOAD: library!,
			FAKETIME_TIMESTAMP_FILE: this.#path,
			FAKETIME_NO_CACHE: "1",
			FAKETIME_DONT_FAKE_MONOTONIC: "1",
		};
	}

	set(offsetMs: number, rate: number): void {
		const offset = `${offsetMs < 0 ? "-" : "+"}${(Math.abs(offsetMs) / 1000).toFixed(3)}`;
		const next = `${this.#path}.next`;
		writeFileSync(next, `${offset} x${rate}\n`);
		renameSync(next, this.#path);
	}
}
