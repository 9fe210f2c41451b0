/**
 * Long texts put together from short pieces. Joined one by one they become a tree of millions of strings, which takes ten times as long
 * as the copying, and most of it in the garbage collector; so code units are collected, and become text some thousands at a time.
 */
import { assert } from "@quorate/keys/assert";

const unitsMax = 1 << 15;
/** Shared: what writes does nothing else meanwhile. */
const units = new Uint16Array(unitsMax);
const wide = Buffer.from(units.buffer);
const narrow = Buffer.alloc(unitsMax);
let isTaken = false;

export class TextWriter {
	#used = 0;
	/** All of them together: whether a byte is enough for each. */
	#bits = 0;
	#text = "";

	private constructor() {}

	/** The text that `write` writes. What it throws, this does. */
	static collect(write: (out: TextWriter) => void): string {
		assert(!isTaken, "one text is written at a time");
		isTaken = true;
		try {
			const out = new TextWriter();
			write(out);
			out.#flush();
			return out.#text;
		} finally {
			isTaken = false;
		}
	}

	unit(unit: number): void {
		if (this.#used === unitsMax) this.#flush();
		units[this.#used++] = unit;
		this.#bits |= unit;
	}

	/** From `start` to `end`, in code units. */
	text(text: string, start = 0, end = text.length): void {
		for (let i = start; i < end; i++) this.unit(text.charCodeAt(i));
	}

	#flush(): void {
		const used = this.#used;
		if (this.#bits > 0xff) {
			this.#text += wide.toString("utf16le", 0, used * 2);
		} else {
			for (let i = 0; i < used; i++) narrow[i] = units[i]!;
			this.#text += narrow.toString("latin1", 0, used);
		}
		this.#used = 0;
		this.#bits = 0;
	}
}
