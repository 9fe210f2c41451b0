/** Thrown when an invariant is broken: the process must not go on. Never used for what a client can cause. */
export class InvariantError extends Error {
	override readonly name = "InvariantError";
}

/** Stays on in production. `message` names the invariant (L3, T1 ...) and what was seen. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
	if (!condition) {
		throw new InvariantError(typeof message === "string" ? message : message());
	}
}
