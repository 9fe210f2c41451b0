/** An estimate of a span's size from RocksDB's own list of its files. */
import type { Span } from "@quorate/keys/key";

/** A line of the property `rocksdb.sstables`: number, size, then smallest and largest key in hexadecimal. */
const filePattern = /^ \d+:(\d+)[^']*'([0-9A-F]*)' seq:[^']*'([0-9A-F]*)' seq:/gm;

/**
 * Bytes of the files that overlap `span`, a file across a bound counting half; and a share of `memoryBytes`, which no file
 * has yet, by the share that the span has of the files.
 */
export function estimateSizeBytes(sstables: string, span: Span, memoryBytes: number): number {
	const [start, end] = [toHex(span.start), toHex(span.end)];
	let inside = 0;
	let total = 0;
	for (const [, size, smallest, largest] of sstables.matchAll(filePattern)) {
		const bytes = Number(size);
		total += bytes;
		if ((largest as string) < start || (smallest as string) >= end) {
			continue;
		}
		const whole = (smallest as string) >= start && (largest as string) < end;
		inside += whole ? bytes : bytes / 2;
	}
	const share = total === 0 ? 1 : inside / total;
	return Math.round(inside + share * memoryBytes);
}

const toHex = (k: string): string => Buffer.from(k, "latin1").toString("hex").toUpperCase();
