/** In order, none longer than `size`. */
export function* slices<T>(items: Iterable<T>, size: number): Generator<readonly T[]> {
	let slice: T[] = [];
	for (const item of items) {
		slice.push(item);
		if (slice.length === size) {
			yield slice;
			slice = [];
		}
	}
	if (slice.length > 0) yield slice;
}
