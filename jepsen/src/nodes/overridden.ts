/** An object with some methods replaced; the others are kept as they are, with their private state. */
export function overridden<T extends object>(target: T, overrides: Partial<T>): T {
	return new Proxy(target, {
		get(object, name) {
			const override = Reflect.get(overrides, name) as unknown;
			const value = override ?? (Reflect.get(object, name) as unknown);
			return override === undefined && typeof value === "function" ? value.bind(object) : value;
		},
	});
}
