/** What a node with hooks begins with, and what it can be told. */
import type { Mutations } from "@quorate/keys/mutations";

/** As JSON, in this variable of its environment. */
export const hooksVariable = "QUORATE_JEPSEN_HOOKS";

export interface Hooks {
	/** A protection that is taken out: what the checks then find proves that they find something. */
	readonly mutation?: keyof Mutations;
	/** The disk says that it has synced, and has done nothing. */
	readonly liesAboutSync?: true;
	/** Where connections to an address go instead. */
	readonly via?: Readonly<Record<string, string>>;
}

export interface HookMessage {
	/** The wall clock is so much ahead from now on, and all clocks run at so many times their rate. */
	readonly clock?: { readonly offsetMs: number; readonly rate: number };
	/** From now on syncs fail. */
	readonly failSync?: true;
}
