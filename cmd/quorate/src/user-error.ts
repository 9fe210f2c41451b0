/** Something the user can put right. The command line prints its message as one line and exits with 1. */
export class UserError extends Error {
	override readonly name = "UserError";
}

/** One line for any error that a command ended with. */
export function errorLine(error: unknown): string {
	if (!(error instanceof Error)) {
		return `quorate: ${String(error)}`;
	}
	const { code, address, port } = error as NodeJS.ErrnoException & {
		readonly address?: string;
		readonly port?: number;
	};
	if (code === "EADDRINUSE") {
		const where = address === undefined ? "an address" : `${address}:${port}`;
		return `quorate: ${where} is taken by another process; nothing was started`;
	}
	if (code === "EADDRNOTAVAIL" || code === "EACCES") {
		return `quorate: cannot use ${address === undefined ? "a file or address" : `${address}:${port}`}: ${error.message}`;
	}
	const { fields } = error as { readonly fields?: { detail?: string; hint?: string } };
	const parts = [error.message, fields?.detail, fields?.hint].filter((part) => part !== undefined);
	return `quorate: ${parts.join(" ").replaceAll(/\s*\n\s*/g, " ")}`;
}
