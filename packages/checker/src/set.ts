/**
 * A set that grows: elements are added once each, and whole sets are read. An element is known from the moment its add was answered,
 * or a read that showed it was, whichever came first; every read that begins later must show it.
 *
 * lost: known, and from some read on never seen again. stale: a read missed it that should have shown it, a later one showed it.
 * recovered: the answer to its add was lost, and it is there. unexpected: nobody had added it by then, or its add certainly failed.
 * duplicated: more than once in one read. never read: added, but no read began after it was known.
 */
export interface SetAdd {
	readonly element: number;
	/** ok: acknowledged. fail: certainly not added. info: not known. */
	readonly status: "ok" | "fail" | "info";
	readonly invoked: number;
	/** Infinite for info. */
	readonly completed: number;
}

/** One that was answered. */
export interface SetRead {
	readonly elements: readonly number[];
	readonly invoked: number;
	readonly completed: number;
}

export interface SetResult {
	/** Nothing is lost, stale, unexpected or duplicated, and something that was acknowledged was read. */
	readonly valid: boolean;
	readonly acknowledged: number;
	readonly read: number;
	readonly lost: readonly number[];
	readonly stale: readonly number[];
	readonly recovered: readonly number[];
	readonly unexpected: readonly number[];
	readonly duplicated: readonly number[];
	readonly neverRead: readonly number[];
}

interface Element {
	readonly add: SetAdd | undefined;
	known: number;
	/** When the last read that showed it began, and the last that had to and did not. */
	lastShown: number;
	lastMissed: number;
	/** Some read that began after it was known. */
	isDue: boolean;
	/** A read showed it before its add began. */
	isEarly: boolean;
}

const never = Number.NEGATIVE_INFINITY;

const newElement = (add: SetAdd | undefined, known: number): Element => ({
	add,
	known,
	lastShown: never,
	lastMissed: never,
	isDue: false,
	isEarly: false,
});

export function checkSet(adds: readonly SetAdd[], reads: readonly SetRead[]): SetResult {
	const elements = new Map<number, Element>();
	for (const add of adds) {
		const known = add.status === "ok" ? add.completed : Number.POSITIVE_INFINITY;
		elements.set(add.element, newElement(add, known));
	}
	const duplicated = new Set<number>();
	const shown = reads.map((read) => new Set(read.elements));
	for (const [i, read] of reads.entries()) {
		if (shown[i]!.size < read.elements.length) {
			const once = new Set<number>();
			for (const e of read.elements) once.has(e) ? duplicated.add(e) : once.add(e);
		}
		for (const element of shown[i]!) {
			let state = elements.get(element);
			if (state === undefined) {
				state = newElement(undefined, 0);
				elements.set(element, state);
			}
			if (read.completed < (state.add?.invoked ?? 0)) state.isEarly = true;
			state.known = Math.min(state.known, read.completed);
			state.lastShown = Math.max(state.lastShown, read.invoked);
		}
	}
	for (const [i, { invoked }] of reads.entries()) {
		for (const [element, state] of elements) {
			if (state.known >= invoked) continue;
			state.isDue = true;
			if (!shown[i]!.has(element)) state.lastMissed = Math.max(state.lastMissed, invoked);
		}
	}
	return classify(elements, [...duplicated]);
}

function classify(
	elements: ReadonlyMap<number, Element>,
	duplicated: readonly number[],
): SetResult {
	const of = (is: (e: Element) => boolean) =>
		[...elements].filter(([, e]) => is(e)).map(([element]) => element);
	const isRead = (e: Element) => e.lastShown !== never;
	const isOurs = (e: Element) => e.add !== undefined && e.add.status !== "fail";
	const isMissed = (e: Element) => isOurs(e) && e.lastMissed !== never;
	const lost = of((e) => isMissed(e) && e.lastMissed > e.lastShown);
	const stale = of((e) => isMissed(e) && e.lastMissed <= e.lastShown);
	const unexpected = of((e) => isRead(e) && (!isOurs(e) || e.isEarly));
	const acknowledged = of((e) => e.add?.status === "ok");
	const read = of((e) => isOurs(e) && isRead(e));
	const isClean = [lost, stale, unexpected, duplicated].every((list) => list.length === 0);
	return {
		valid: isClean && acknowledged.some((e) => isRead(elements.get(e)!)),
		acknowledged: acknowledged.length,
		read: read.length,
		lost,
		stale,
		recovered: of((e) => e.add?.status === "info" && isRead(e) && !isMissed(e)),
		unexpected,
		duplicated,
		neverRead: of((e) => e.add?.status === "ok" && !e.isDue && !isRead(e)),
	};
}
