/**
 * Maps and sets that are empty most of the time, of which there are many: one of each for every range of a node, say. An empty Map of
 * the language takes some 200 bytes; these take 32, and none of the table that they had once they are empty again.
 */

export class SparseMap<K, V> {
	#map: Map<K, V> | undefined;

	get size(): number {
		return this.#map === undefined ? 0 : this.#map.size;
	}

	get(k: K): V | undefined {
		return this.#map?.get(k);
	}

	has(k: K): boolean {
		return this.#map?.has(k) === true;
	}

	set(k: K, value: V): void {
		this.#map ??= new Map();
		this.#map.set(k, value);
	}

	delete(k: K): boolean {
		const wasThere = this.#map?.delete(k) === true;
		if (wasThere && this.#map!.size === 0) {
			this.#map = undefined;
		}
		return wasThere;
	}

	clear(): void {
		this.#map = undefined;
	}

	keys(): Iterable<K> {
		return this.#map?.keys() ?? none;
	}

	values(): Iterable<V> {
		return this.#map?.values() ?? none;
	}

	[Symbol.iterator](): Iterator<[K, V]> {
		return (this.#map ?? none)[Symbol.iterator]();
	}
}

export class SparseSet<T> {
	#set: Set<T> | undefined;

	get size(): number {
		return this.#set === undefined ? 0 : this.#set.size;
	}

	has(one: T): boolean {
		return this.#set?.has(one) === true;
	}

	add(one: T): void {
		this.#set ??= new Set();
		this.#set.add(one);
	}

	delete(one: T): boolean {
		const wasThere = this.#set?.delete(one) === true;
		if (wasThere && this.#set!.size === 0) {
			this.#set = undefined;
		}
		return wasThere;
	}

	clear(): void {
		this.#set = undefined;
	}

	[Symbol.iterator](): Iterator<T> {
		return (this.#set ?? none)[Symbol.iterator]();
	}
}

const none: readonly never[] = [];
