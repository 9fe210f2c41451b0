/** The program that `damage.ts` starts on a damaged directory: says what the node serves, or why it does not. */
import { digestOf, readAll, refusedCode, startAlone } from "./damaged-node.ts";

function textOf(error: unknown): string {
	const { message, fields } = error as {
		readonly message?: string;
		readonly fields?: { readonly detail?: string; readonly hint?: string };
	};
	return [message ?? String(error), fields?.detail, fields?.hint].filter(Boolean).join(" ");
}

const node = await startAlone(process.argv[2] as string).catch((error: unknown) => {
	console.log(textOf(error));
	process.exit(refusedCode);
});
console.log(digestOf(await readAll(node)));
process.exit(0);
