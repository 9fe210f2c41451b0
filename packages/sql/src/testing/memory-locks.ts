/** Exclusive in-memory locks with queues and deadlock detection, for the in-process coordinator. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { CancelSignal, LockWait } from "@quorate/txn/types";

interface Waiter {
	readonly owner: object;
	readonly grant: () => void;
}

interface Lock {
	holder: object;
	readonly queue: Waiter[];
}

export class MemoryLocks {
	readonly #locks = new Map<Key, Lock>();
	readonly #waitsFor = new Map<object, Key>();

	/** False: skipped. */
	async acquire(
		owner: object,
		key: Key,
		wait: LockWait,
		cancel: CancelSignal | undefined,
		timeoutMs: number,
	): Promise<boolean> {
		const lock = this.#locks.get(key);
		if (lock === undefined) {
			this.#locks.set(key, { holder: owner, queue: [] });
			return true;
		}
		if (lock.holder === owner) return true;
		if (wait === "skip locked") return false;
		if (wait === "nowait") throw new DatabaseError("55P03", "could not obtain lock on row");
		this.#checkDeadlock(owner, lock);
		await this.#wait(owner, key, lock, cancel, timeoutMs);
		return true;
	}

	#wait(
		owner: object,
		key: Key,
		lock: Lock,
		cancel: CancelSignal | undefined,
		timeoutMs: number,
	): Promise<void> {
		this.#waitsFor.set(owner, key);
		return new Promise<void>((resolve, reject) => {
			let timer: NodeJS.Timeout | undefined;
			const leave = (): void => {
				this.#waitsFor.delete(owner);
				if (timer !== undefined) clearTimeout(timer);
			};
			const waiter: Waiter = {
				owner,
				grant: () => {
					leave();
					resolve();
				},
			};
			lock.queue.push(waiter);
			const fail = (error: DatabaseError): void => {
				const index = lock.queue.indexOf(waiter);
				if (index < 0) return;
				lock.queue.splice(index, 1);
				leave();
				reject(error);
			};
			if (timeoutMs > 0) {
				timer = setTimeout(
					() => fail(new DatabaseError("55P03", "canceling statement due to lock timeout")),
					timeoutMs,
				);
			}
			cancel?.onCancel(() => fail(cancel.reason!));
		});
	}

	#checkDeadlock(owner: object, lock: Lock): void {
		const seen = new Set<object>();
		let holder: object | undefined = lock.holder;
		while (holder !== undefined && !seen.has(holder)) {
			if (holder === owner) throw new DatabaseError("40P01", "deadlock detected");
			seen.add(holder);
			const key = this.#waitsFor.get(holder);
			holder = key === undefined ? undefined : this.#locks.get(key)?.holder;
		}
	}

	release(owner: object, keys: Iterable<Key>): void {
		for (const key of keys) {
			const lock = this.#locks.get(key);
			if (lock?.holder !== owner) continue;
			const next = lock.queue.shift();
			if (next === undefined) {
				this.#locks.delete(key);
			} else {
				lock.holder = next.owner;
				next.grant();
			}
		}
	}
}
