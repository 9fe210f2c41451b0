/** An error as Node's `net` and `fs` give them. */
export function codedError(code: string, message: string): Error {
	return Object.assign(new Error(`${code}: ${message}`), { code });
}
