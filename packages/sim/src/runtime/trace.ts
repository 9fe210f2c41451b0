/**
 * A running hash over everything that happens, two lanes of 32 bits. Two runs of one seed must end with the same value; where
 * they do not, something reads a clock, a random source or an iteration order that the seed does not govern.
 */
export class Trace {
	#low = 0x811c9dc5 | 0;
	#high = 0x1b873593 | 0;

	mix(value: number): void {
		this.#low = Math.imul(this.#low ^ value, 0x01000193);
		this.#high = Math.imul(((this.#high << 13) | (this.#high >>> 19)) ^ value, 0xcc9e2d51 | 0);
		this.#low ^= this.#low >>> 15;
	}

	/** An event: `atUs` may be larger than 32 bits. */
	mixEvent(atUs: number, machineId: number, kind: number): void {
		this.mix(atUs | 0);
		this.mix(((atUs / 4294967296) | 0) ^ (machineId << 8) ^ kind);
	}

	mixBytes(bytes: Uint8Array): void {
		const length = bytes.length;
		const whole = length & ~3;
		this.mix(length);
		for (let i = 0; i < whole; i += 4) {
			this.mix(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
		}
		for (let i = whole; i < length; i++) this.mix(bytes[i]!);
	}

	digest(): string {
		const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, "0");
		return hex(this.#high) + hex(this.#low);
	}
}
