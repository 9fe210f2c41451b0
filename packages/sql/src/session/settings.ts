/**
 * A session's settings. SET takes effect at once and is undone if its transaction rolls back; SET LOCAL lasts until the
 * transaction ends. Values are immutable maps, so that a savepoint only has to remember one. Below them are what the client
 * asked for when it connected, what ALTER SYSTEM has set for the cluster, and the defaults of the definitions.
 */

import { DatabaseError } from "@quorate/keys/database-error";
import type { ClusterSettings } from "@quorate/placement/types";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import {
	allSettings,
	type SettingDefinition,
	type Surroundings,
	settingDefinition,
} from "./setting-definitions.ts";

export interface SettingsState {
	/** What the session has set; folded names. */
	readonly session: ReadonlyMap<string, string>;
	/** What SET LOCAL laid over it. */
	readonly local: ReadonlyMap<string, string>;
}

const ofIdentity: ReadonlySet<string> = new Set(["role", "session_authorization", "is_superuser"]);

const empty: ReadonlyMap<string, string> = new Map();

/** A value as it is kept; undefined: the default is wanted. Throws 42704, 22023, 55P02. */
export function judgedSetting(
	name: string,
	value: string | undefined,
	surroundings?: Surroundings,
): string | undefined {
	const definition = settingDefinition(name);
	if (definition === undefined && !name.includes(".")) throw unknownSetting(name);
	if (definition?.settable === false) {
		throw new DatabaseError("55P02", `parameter "${definition.name}" cannot be changed`, {
			...(definition.cluster ? { hint: "Use ALTER SYSTEM SET." } : {}),
		});
	}
	if (value === undefined) return undefined;
	return definition?.normalize(value, surroundings) ?? value;
}

/** Of all that SET has set in one session. */
const charactersMax = 1 << 16;

export class Settings {
	/** Defaults of this session: the server's, and what the client asked for when it connected. */
	readonly #initial = new Map<string, string>();
	#state: SettingsState = { session: empty, local: empty };
	readonly #cluster: () => ClusterSettings;
	/** Called with each setting whose value changed. */
	readonly #onChange: (name: string) => void;
	#changes = 0;
	/** Reported settings as the client knows them, as of a version of the cluster's. */
	#told: { readonly version: number; readonly values: ReadonlyMap<string, string> } | undefined;

	constructor(cluster: () => ClusterSettings, onChange: (name: string) => void) {
		this.#cluster = cluster;
		this.#onChange = onChange;
	}

	/** Rises with every change: what is derived from settings is made again. */
	get version(): number {
		return this.#changes + this.#cluster().version;
	}

	/** Between statements: tells of what ALTER SYSTEM has changed meanwhile. */
	catchUp(): void {
		const { version } = this.#cluster();
		if (this.#told?.version === version) return;
		const before = this.#told?.values;
		this.#told = { version, values: new Map(this.reported()) };
		if (before === undefined) return;
		for (const [name, value] of this.#told.values) {
			if (before.get(name) !== value) this.#onChange(name.toLowerCase());
		}
	}

	/** Undefined: no such setting. */
	get(name: string): string | undefined {
		const folded = name.toLowerCase();
		return (
			this.#state.local.get(folded) ?? this.#state.session.get(folded) ?? this.#default(folded)
		);
	}

	/** What RESET goes back to, for settings that exist; folded names. */
	default(folded: string): string {
		return this.#default(folded) ?? "";
	}

	#default(folded: string): string | undefined {
		return (
			this.#initial.get(folded) ??
			this.#cluster().values.get(folded) ??
			settingDefinition(folded)?.initial
		);
	}

	/** What a value may leave as it is. */
	surroundings(name: string): Surroundings {
		return { now: this.value(name), reset: this.default(name.toLowerCase()) };
	}

	/** For settings that exist. */
	value(name: string): string {
		return this.get(name) ?? "";
	}

	/** What RESET goes back to. Throws 22023, 42704. */
	setInitial(name: string, value: string): void {
		const definition = settingDefinition(name);
		if (definition === undefined && !name.includes(".")) throw unknownSetting(name);
		const normalized = definition?.normalize(value, this.surroundings(name)) ?? value;
		this.#initial.set(name.toLowerCase(), normalized);
		this.#changes++;
	}

	/** Fixed by the server: who is connected. */
	force(name: string, value: string): void {
		this.#initial.set(name.toLowerCase(), value);
		this.#changes++;
	}

	/** Value undefined: the default. Throws 42704, 22023, 55P02. */
	set(name: string, value: string | undefined, local: boolean): void {
		this.assume(name, judgedSetting(name, value, this.surroundings(name)), local);
	}

	/** The same, of a value that somebody else has judged. */
	assume(name: string, value: string | undefined, local: boolean): void {
		const folded = name.toLowerCase();
		if (value !== undefined) this.#requireRoom(folded, value);
		const before = this.get(name);
		const { session, local: locals } = this.#state;
		if (local) {
			const next = value ?? this.default(folded);
			this.#state = { session, local: new Map(locals).set(folded, next) };
		} else {
			const next = new Map(session);
			if (value === undefined) next.delete(folded);
			else next.set(folded, value);
			const rest = new Map(locals);
			rest.delete(folded);
			this.#state = { session: next, local: rest };
		}
		this.#changes++;
		if (this.get(name) !== before) this.#onChange(folded);
	}

	/** Settings may have any name with a dot in it, and many any value. Throws 54000. */
	#requireRoom(name: string, value: string): void {
		let characters = name.length + value.length;
		for (const map of [this.#state.session, this.#state.local]) {
			for (const [one, set] of map) characters += one.length + set.length;
		}
		if (characters <= charactersMax) return;
		throw new DatabaseError("54000", `too much is set to set "${name}"`, {
			detail: `The settings of a session may have ${charactersMax} characters.`,
			hint: "Use RESET on those that are not needed any more.",
		});
	}

	/** All but who the session acts as. */
	resetAll(): void {
		const { session, local } = this.#state;
		const kept = [...session].filter(([name]) => ofIdentity.has(name));
		this.restore({ session: new Map(kept), local });
	}

	save(): SettingsState {
		return this.#state;
	}

	restore(state: SettingsState): void {
		if (state === this.#state) return;
		const before = new Map<string, string | undefined>();
		for (const map of [this.#state.session, this.#state.local, state.session, state.local]) {
			for (const name of map.keys()) before.set(name, this.get(name));
		}
		this.#state = state;
		this.#changes++;
		for (const [name, value] of before) if (this.get(name) !== value) this.#onChange(name);
	}

	/** A transaction ended: what was LOCAL to it is gone. */
	dropLocals(): void {
		if (this.#state.local.size > 0) this.restore({ session: this.#state.session, local: empty });
	}

	/** [name as shown, value], all of them, by name. */
	all(): readonly (readonly [string, string])[] {
		return allSettings()
			.map((one) => [one.name, this.value(one.name)] as const)
			.sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
	}

	/** Where its value comes from, in pg_settings' words. */
	sourceOf({ name, settable }: SettingDefinition): string {
		const folded = name.toLowerCase();
		if (this.#state.local.has(folded) || this.#state.session.has(folded)) return "session";
		if (this.#initial.has(folded)) return settable ? "client" : "override";
		return this.#cluster().values.has(folded) ? "configuration file" : "default";
	}

	reported(): readonly (readonly [string, string])[] {
		return allSettings()
			.filter((one) => one.report)
			.map((one) => [one.name, this.value(one.name)] as const);
	}
}

export const unknownSetting = (name: string): DatabaseError =>
	new DatabaseError("42704", `unrecognized configuration parameter "${name}"`);

/** What SET was given, as PostgreSQL keeps it: of names each as it has to be written. */
export const listText = (name: string, values: readonly string[]): string =>
	(name.toLowerCase() === "search_path" ? values.map(quoteIdentifier) : values).join(", ");

/** Schemas of a search_path, quotes taken off. */
export function parseSearchPath(value: string): readonly string[] {
	const out: string[] = [];
	for (const match of value.matchAll(/"((?:[^"]|"")*)"|([^\s,]+)/g)) {
		const quoted = match[1];
		out.push(quoted === undefined ? match[2]!.toLowerCase() : quoted.replaceAll('""', '"'));
	}
	return out;
}
