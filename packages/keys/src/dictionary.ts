/**
 * A table for names that come from outside: without what every object inherits, so that `constructor` and `__proto__` are as unknown to it as
 * any other name that it does not have.
 */
export const dictionary = <T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
	Object.freeze(Object.assign(Object.create(null) as Record<string, T>, entries));
