/** Runs the handler of a method and turns whatever it does into an outcome. Nothing that a peer sends can throw from here. */
import { InvariantError } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Body, Peer } from "./types.ts";

export type Handler = (body: Body, from: Peer | undefined) => Body | Promise<Body>;

export type Outcome =
	| { readonly kind: "answer"; readonly body: Body }
	| { readonly kind: "databaseError"; readonly error: DatabaseError }
	| { readonly kind: "refusal"; readonly message: string };

const isPromise = (value: unknown): value is Promise<unknown> =>
	typeof value === "object" &&
	value !== null &&
	typeof (value as { then?: unknown }).then === "function";

export class Dispatcher {
	readonly #runtime: Runtime;
	readonly #handlers = new Map<string, Handler>();

	constructor(runtime: Runtime) {
		this.#runtime = runtime;
	}

	handle(method: string, handler: Handler): void {
		if (this.#handlers.has(method)) {
			throw new InvariantError(`the method ${method} has a handler already`);
		}
		this.#handlers.set(method, handler);
	}

	/** `done` is called once; at once where the handler answers without waiting. */
	call(method: string, body: Body, from: Peer | undefined, done: (outcome: Outcome) => void): void {
		const handler = this.#handlers.get(method);
		if (handler === undefined) {
			done({ kind: "refusal", message: `there is no method ${method} here` });
			return;
		}
		let result: Body | Promise<Body>;
		try {
			result = handler(body, from);
		} catch (error) {
			done(this.#failure(method, error));
			return;
		}
		if (!isPromise(result)) {
			done({ kind: "answer", body: result });
			return;
		}
		result.then(
			(value) => done({ kind: "answer", body: value }),
			(error: unknown) => done(this.#failure(method, error)),
		);
	}

	send(method: string, body: Body, from: Peer | undefined): void {
		this.call(method, body, from, (outcome) => {
			if (outcome.kind === "databaseError") {
				this.#runtime.logger.log("warn", "a one-way message failed", {
					method,
					error: outcome.error,
				});
			}
		});
	}

	#failure(method: string, error: unknown): Outcome {
		if (error instanceof DatabaseError) return { kind: "databaseError", error };
		if (error instanceof InvariantError) {
			this.#runtime.fatal(`broken invariant in the handler of ${method}: ${error.stack}`);
		}
		this.#runtime.logger.log("error", "a handler failed", { method, error });
		return {
			kind: "refusal",
			message: `${method} failed: ${error instanceof Error ? error.message : String(error)}`,
		};
	}
}
