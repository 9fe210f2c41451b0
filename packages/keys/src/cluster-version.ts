/**
 * Which formats may be written. A build reads what it knows, from the oldest to the newest; what it writes others have to read. So each
 * change of a format that older builds cannot read, be it of a message, an entry or a stored row, belongs to a version of the cluster:
 * nodes announce which versions they can, and the placement group raises the active one when all of them can the next, by itself and
 * never back. Until then the old format is written, or what needs the new one is refused.
 *
 * 1. Whoever writes a format that is newer than version 1 has asked `isActive` or `requireActive` for it. A node may hear of a version
 *    later than others: what it may write meanwhile is older, and everybody can read that.
 * 2. What is active stays so. Nodes that cannot it are not let in again, and say why.
 */
import { DatabaseError } from "./database-error.ts";

export interface VersionSpan {
	readonly oldest: number;
	readonly newest: number;
}

/** Of this build. Raise `newest` with each change of a format; raise `oldest` when the code for an older one goes. */
export const ownVersions: VersionSpan = { oldest: 1, newest: 19 };

/** What builds can that say nothing: they are from before there were versions. */
export const firstVersions: VersionSpan = { oldest: 1, newest: 1 };

export const versionsText = ({ oldest, newest }: VersionSpan): string =>
	oldest === newest ? String(newest) : `${oldest} to ${newest}`;

/** From which version on. */
const since = {
	/** Tables and the database say where their replicas are to be: descriptors of format 4, rights of format 3. */
	configuration: 2,
	/** Enums and domains: descriptors of format 5. */
	types: 3,
	/** Ranges remove what was dropped: entries of format 5. */
	clearing: 3,
	/** A statement is run by the node that leads its row's range: the messages for that. */
	statements: 4,
	/** What sessions of a role, or of the database, begin with, and rights that new objects have: roles and rights of format 4. */
	initials: 5,
	/** Unique constraints that are deferrable: descriptors of format 6. */
	deferrable: 6,
	/** A commit in one phase names what was read in other ranges than the one that is written to. */
	validation: 7,
	/** Unique constraints that are deferrable, of tables that have many rows: descriptors of format 7 while they are being built. */
	deferrableBuild: 8,
	/** Other databases than the first: roles of format 5, descriptors of format 8. */
	databases: 9,
	/** Columns of the types jsonpath and time with time zone: descriptors of format 9. */
	laterTypes: 10,
	/** Constraints whose rows are looked at by a job: descriptors of format 10 meanwhile. */
	validating: 11,
	/** Indexes that are partial, on expressions, or with NULLs at their other end: descriptors of format 11. */
	indexForms: 12,
	/** What sessions of a role begin with in another database than the first: roles of format 6. */
	roleDatabases: 13,
	/** Composite types and arrays of domains: descriptors of format 12. */
	composites: 14,
	/** Tables with many rows whose rows become others: descriptors of format 13 meanwhile. */
	rewriting: 15,
	/** Locks go along with a lease: transfers that name them. */
	lockTransfer: 16,
	/** A commit in one phase decides for what was prepared in other ranges: entries of format 6. */
	lastAgent: 17,
	/** Columns of type xid8: descriptors of format 14. */
	xid8: 18,
	/** Tables whose values of char(n) are stored without the blanks at their end: descriptors of format 15. */
	unpadded: 19,
} as const;

export type Feature = keyof typeof since;

/** Where the active version is kept, among the settings of the cluster. */
export const versionSetting = "cluster_version";

type Settings = ReadonlyMap<string, string>;

export const activeVersion = (settings: Settings): number =>
	Number(settings.get(versionSetting) ?? firstVersions.newest);

export const isActive = (settings: Settings, feature: Feature): boolean =>
	activeVersion(settings) >= since[feature];

/** `what` is refused as long as not all nodes can it: "CONFIGURE". */
export function requireActive(settings: Settings, feature: Feature, what: string): void {
	if (isActive(settings, feature)) return;
	throw new DatabaseError(
		"55000",
		`${what} needs cluster version ${since[feature]}, and version ${activeVersion(settings)} is active`,
		{
			hint: "All nodes must run a build that can it: see the column versions of quorate_nodes. The version is raised by itself then.",
		},
	);
}

/** Why a node with these versions must not take part any more; undefined: it may. */
export const whyTooOld = (active: number, { newest }: VersionSpan): string | undefined =>
	newest < active
		? `its build is too old: it knows cluster versions up to ${newest}, and version ${active} is active. Start it with a build that knows version ${active}`
		: undefined;

/** Likewise, not yet. */
export const whyTooNew = (active: number, { oldest }: VersionSpan): string | undefined =>
	oldest > active
		? `its build is too new: it knows cluster versions from ${oldest} on, and version ${active} is active. Run a build that knows both ${active} and ${oldest} on all nodes first`
		: undefined;

/** The highest that all of them can. */
export const commonVersion = (spans: readonly VersionSpan[]): number =>
	Math.min(...spans.map(({ newest }) => newest));
