/**
 * Goes on with what may have to be waited for: at once where it is there. Most of what a statement asks for is, and a chain of async functions
 * costs it more than the work that they do.
 */
export function andThen<T, R>(
	value: T | Promise<T>,
	next: (value: T) => R | Promise<R>,
): R | Promise<R> {
	return value instanceof Promise ? value.then(next) : next(value);
}
