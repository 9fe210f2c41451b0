/** SET CONSTRAINTS of one transaction, and what deferred ones have left to be looked at before it commits. */
import {
	constraintOf,
	type DeferredEvent,
	type DeferredEvents,
	type Timed,
	tablesOf,
} from "../execute/deferred-events.ts";

interface Times {
	/** SET CONSTRAINTS ALL. */
	readonly all: boolean | undefined;
	/** By OID; whatever was said of all before. */
	readonly single: ReadonlyMap<number, boolean>;
	readonly events: readonly DeferredEvent[];
}

const atFirst: Times = { all: undefined, single: new Map(), events: [] };

export class ConstraintTimes implements DeferredEvents {
	#times: Times = atFirst;

	isDeferred(key: Timed): boolean {
		if (!key.deferrable) return false;
		return this.#times.single.get(key.oid) ?? this.#times.all ?? key.initiallyDeferred;
	}

	add(events: readonly DeferredEvent[]): void {
		this.#times = { ...this.#times, events: [...this.#times.events, ...events] };
	}

	/** `oids` undefined: all of them. */
	set(oids: readonly number[] | undefined, deferred: boolean): void {
		if (oids === undefined) {
			this.#times = { ...this.#times, all: deferred, single: new Map() };
			return;
		}
		const single = new Map(this.#times.single);
		for (const oid of oids) single.set(oid, deferred);
		this.#times = { ...this.#times, single };
	}

	/** What is not deferred any more. */
	takeDue(): readonly DeferredEvent[] {
		const { events } = this.#times;
		const due = events.filter((event) => !this.isDeferred(constraintOf(event)));
		if (due.length === 0) return due;
		this.#times = {
			...this.#times,
			events: events.filter((event) => this.isDeferred(constraintOf(event))),
		};
		return due;
	}

	get isEmpty(): boolean {
		return this.#times.events.length === 0;
	}

	/** Whether something is left to be done for a table. */
	isPending(tableOid: number): boolean {
		return this.#times.events.some((event) => tablesOf(event).includes(tableOid));
	}

	save(): Times {
		return this.#times;
	}

	restore(times: Times): void {
		this.#times = times;
	}
}
