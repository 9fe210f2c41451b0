/** The storage engine of one boot. Its calls are synchronous, so only what waits has to be cut off. */
import type { Key, Span } from "@quorate/keys/key";
import type {
	Engine,
	EngineBatch,
	EngineCacheUse,
	EngineIterator,
	EngineRows,
	EngineScanLimits,
	EngineSnapshot,
} from "@quorate/storage/engine";
import type { ProcessScope } from "./process-scope.ts";

export class ScopedEngine implements Engine {
	readonly kind: Engine["kind"];
	readonly #engine: Engine;
	readonly #scope: ProcessScope;
	readonly #close: () => Promise<void>;

	/** `release`: what closing the engine comes to, here and at the end of the boot. */
	constructor(engine: Engine, scope: ProcessScope, release: () => Promise<void>) {
		this.kind = engine.kind;
		this.#engine = engine;
		this.#scope = scope;
		const forget = scope.releaseAtEnd(release);
		this.#close = () => {
			forget();
			return release();
		};
	}

	get(k: Key): Uint8Array | undefined {
		return this.#engine.get(k);
	}

	prefetch(keys: readonly Key[]): Promise<void> | undefined {
		return this.#engine.prefetch(keys);
	}

	iterate(span: Span, options?: { readonly reverse?: boolean }): EngineIterator {
		return this.#engine.iterate(span, options);
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		return this.#engine.scan(span, limits);
	}

	write(fill: (batch: EngineBatch) => void): void {
		this.#engine.write(fill);
	}

	clearSpan(span: Span): void {
		this.#engine.clearSpan(span);
	}

	snapshot(): EngineSnapshot {
		return this.#engine.snapshot();
	}

	sync(): Promise<void> {
		return this.#scope.guard(() => this.#engine.sync());
	}

	approximateSizeBytes(span: Span): number {
		return this.#engine.approximateSizeBytes(span);
	}

	cacheUse(): EngineCacheUse {
		return this.#engine.cacheUse();
	}

	close(): Promise<void> {
		return this.#scope.guard(this.#close);
	}
}
