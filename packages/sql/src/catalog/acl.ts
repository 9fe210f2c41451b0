/**
 * Access control lists in PostgreSQL's form: who was granted what by whom. A right is a letter, as in aclitem's text
 * (`ann=arw*d/quorate`). An object without a list has the default one: its owner may do everything, and for the database and
 * the schema public everybody something.
 */
import type { Configuration } from "./configuration.ts";
import { bootstrapRoleOid, type InitialSettings, publicRoleOid } from "./role.ts";

export interface AclItem {
	/** OID of a role; 0: PUBLIC. */
	readonly grantee: number;
	readonly grantor: number;
	/** Letters, in the order of `allLetters`. */
	readonly rights: string;
	/** Those of them WITH GRANT OPTION. */
	readonly grantable: string;
}

export type Acl = readonly AclItem[];

export type ObjectKind = "table" | "sequence" | "schema" | "database" | "type" | "function";

/** ALTER DEFAULT PRIVILEGES: of what a role makes, in one schema or in all of them. */
export interface DefaultRights {
	/** Of the row that tells of it. */
	readonly oid: number;
	readonly on: Exclude<ObjectKind, "database">;
	/** OID; absent: in all, and then the list stands in the place of the default one, to which others are added. */
	readonly schema?: number;
	readonly acl: Acl;
}

const allLetters = "arwdDxtXUCTcsA";

const names: Readonly<Record<string, string>> = {
	INSERT: "a",
	SELECT: "r",
	UPDATE: "w",
	DELETE: "d",
	TRUNCATE: "D",
	REFERENCES: "x",
	TRIGGER: "t",
	USAGE: "U",
	CREATE: "C",
	TEMPORARY: "T",
	TEMP: "T",
	CONNECT: "c",
	EXECUTE: "X",
};

/** All that there is for an object of that kind. */
export const lettersOf: Readonly<Record<ObjectKind, string>> = {
	table: "arwdDxt",
	sequence: "rwU",
	schema: "UC",
	database: "CTc",
	type: "U",
	function: "X",
};
export const columnLetters = "arwx";

/** Undefined: no such right. */
export const letterOf = (name: string): string | undefined => names[name.toUpperCase()];

/** Of configuration parameters, on which nothing is granted here: lists that others wrote may hold them. */
const parameterRights: Readonly<Record<string, string>> = { s: "SET", A: "ALTER SYSTEM" };

export const nameOfLetter = (letter: string): string =>
	parameterRights[letter] ?? Object.keys(names).find((name) => names[name] === letter) ?? letter;

export const ordered = (letters: Iterable<string>): string => {
	const set = new Set(letters);
	return [...allLetters].filter((letter) => set.has(letter)).join("");
};

export function defaultAcl(kind: ObjectKind, owner: number): Acl {
	const own = { grantee: owner, grantor: owner, rights: ordered(lettersOf[kind]), grantable: "" };
	const everybody = { grantee: publicRoleOid, grantor: owner, grantable: "" };
	if (kind === "database") return [{ ...everybody, rights: "Tc" }, own];
	if (kind === "type") return [{ ...everybody, rights: "U" }, own];
	if (kind === "function") return [{ ...everybody, rights: "X" }, own];
	return kind === "schema" ? [own, { ...everybody, rights: "U" }] : [own];
}

/** The order of PostgreSQL's acldefault; that of ours of a schema has what `public` has, too. */
const plainDefault = (kind: ObjectKind, owner: number): Acl =>
	defaultAcl(kind, owner).filter(({ grantee }) => kind !== "schema" || grantee !== publicRoleOid);

/** What a new object of `owner` begins with; undefined: the default list. */
export function aclOfNew(
	rights: readonly DefaultRights[],
	kind: DefaultRights["on"],
	owner: number,
	schema: number | undefined,
): Acl | undefined {
	const of = rights.filter(({ on }) => on === kind);
	const anywhere = of.find((one) => one.schema === undefined);
	const here = schema === undefined ? undefined : of.find((one) => one.schema === schema);
	if (anywhere === undefined && here === undefined) return undefined;
	let acl = anywhere?.acl ?? plainDefault(kind, owner);
	for (const item of here?.acl ?? []) acl = withGrant(acl, item);
	return acl;
}

/** A list before anybody has said anything. */
export const firstDefault = (one: Pick<DefaultRights, "on" | "schema">, role: number): Acl =>
	one.schema === undefined ? plainDefault(one.on, role) : [];

/** Nothing is said by it. */
export const isAsDefault = (one: Omit<DefaultRights, "oid">, role: number): boolean => {
	const text = (acl: Acl): string =>
		acl
			.map(({ grantee, grantor, rights, grantable }) =>
				[grantee, grantor, rights, grantable].join(),
			)
			.sort()
			.join(";");
	return text(one.acl) === text(firstDefault(one, role));
};

/** Letters that somebody has who has the rights of all of `roles`. PUBLIC's are everybody's. */
export function lettersFor(acl: Acl, roles: ReadonlySet<number>): string {
	const has = ({ grantee }: AclItem): boolean => grantee === publicRoleOid || roles.has(grantee);
	return acl
		.filter(has)
		.map(({ rights }) => rights)
		.join("");
}

/** Letters that they may grant on. */
export const grantableFor = (acl: Acl, roles: ReadonlySet<number>): string =>
	acl
		.filter(({ grantee }) => roles.has(grantee))
		.map(({ grantable }) => grantable)
		.join("");

export function withGrant(acl: Acl, given: AclItem): Acl {
	const same = (item: AclItem): boolean =>
		item.grantee === given.grantee && item.grantor === given.grantor;
	const before = acl.find(same);
	if (before === undefined) return [...acl, given];
	const merged: AclItem = {
		...before,
		rights: ordered(before.rights + given.rights),
		grantable: ordered(before.grantable + given.grantable),
	};
	return acl.map((item) => (item === before ? merged : item));
}

const minus = (letters: string, taken: string): string =>
	[...letters].filter((letter) => !taken.includes(letter)).join("");

/** Takes letters, or only the right to grant them on. */
export function withoutGrant(
	acl: Acl,
	grantee: number,
	grantor: number,
	letters: string,
	optionOnly: boolean,
): Acl {
	return acl
		.map((item) => {
			if (item.grantee !== grantee || item.grantor !== grantor) return item;
			const grantable = minus(item.grantable, letters);
			return { ...item, grantable, rights: optionOnly ? item.rights : minus(item.rights, letters) };
		})
		.filter(({ rights }) => rights !== "");
}

/** What `role` has granted on of letters that it may not grant any more, and all that depends on that. */
export function dependents(acl: Acl, owner: number): readonly AclItem[] {
	const holds = (role: number, letter: string, seen: ReadonlySet<number>): boolean =>
		role === owner ||
		acl.some(
			({ grantee, grantor, grantable }) =>
				grantee === role &&
				grantable.includes(letter) &&
				!seen.has(grantor) &&
				holds(grantor, letter, new Set([...seen, role])),
		);
	return acl.flatMap((item) => {
		const lost = [...item.rights].filter((letter) => !holds(item.grantor, letter, new Set()));
		return lost.length === 0 ? [] : [{ ...item, rights: lost.join("") }];
	});
}

/** As aclitem is written. `nameOf`: of a role, quoted where it has to be. */
export function aclItemText(item: AclItem, nameOf: (oid: number) => string): string {
	const letters = [...ordered(item.rights)]
		.map((letter) => letter + (item.grantable.includes(letter) ? "*" : ""))
		.join("");
	const grantee = item.grantee === publicRoleOid ? "" : nameOf(item.grantee);
	return `${grantee}=${letters}/${nameOf(item.grantor)}`;
}

/** What has an owner and a list and no descriptor: the first database. Of the schema public, only in stored rows (`schema.ts`). */
export interface RightsDescriptor {
	readonly kind: "rights";
	readonly oid: number;
	readonly acl?: Acl;
	/** Where its data are to be. */
	readonly configuration?: Configuration;
	/** Of all sessions. */
	readonly settings?: InitialSettings;
	readonly comment?: string;
}

export const rightsOwner = bootstrapRoleOid;
