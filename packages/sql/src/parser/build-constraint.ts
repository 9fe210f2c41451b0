/** What constraints say about their time, [NOT] DEFERRABLE and INITIALLY ..., brought together with what they constrain. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnConstraint, ConstraintTimes, Deferral, ReferenceOptions } from "./ast.ts";

export const plainReference: ReferenceOptions = {
	onDelete: "no action",
	onUpdate: "no action",
	setColumns: [],
	matchFull: false,
	deferrable: false,
	initiallyDeferred: false,
};

const refused = (message: string, at: number): DatabaseError =>
	new DatabaseError("42601", message, { position: at + 1 });

/** Throws 42601 where they contradict each other. */
export function deferralOf(clauses: readonly Deferral[]): ConstraintTimes {
	let deferrable: boolean | undefined;
	let deferred: boolean | undefined;
	for (const one of clauses) {
		if (one.deferrable !== undefined) {
			if (deferrable !== undefined) {
				throw refused("multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed", one.at);
			}
			deferrable = one.deferrable;
		} else {
			if (deferred !== undefined) {
				throw refused("multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed", one.at);
			}
			deferred = one.deferred;
		}
		if (deferrable === false && deferred === true) {
			throw refused("constraint declared INITIALLY DEFERRED must be DEFERRABLE", one.at);
		}
	}
	return { deferrable: deferrable ?? deferred === true, initiallyDeferred: deferred === true };
}

/** Of a primary key or a unique constraint. */
export const timesOf = (clauses: readonly Deferral[]): Partial<ConstraintTimes> =>
	clauses.length === 0 ? {} : deferralOf(clauses);

/** Each belongs to the constraint before it. */
export function withDeferrals(
	clauses: readonly (ColumnConstraint | Deferral)[],
): readonly ColumnConstraint[] {
	const constraints: { readonly constraint: ColumnConstraint; readonly times: Deferral[] }[] = [];
	for (const clause of clauses) {
		if (clause.kind !== "deferral") {
			constraints.push({ constraint: clause, times: [] });
			continue;
		}
		const last = constraints.at(-1);
		const kind = last?.constraint.kind;
		if (kind !== "references" && kind !== "unique" && kind !== "primary-key") {
			throw refused(`misplaced ${nameOf(clause)} clause`, clause.at);
		}
		last!.times.push(clause);
	}
	return constraints.map(({ constraint, times }) => {
		if (constraint.kind === "references") return { ...constraint, ...deferralOf(times) };
		return { ...constraint, ...timesOf(times) };
	});
}

function nameOf({ deferrable, deferred }: Deferral): string {
	if (deferrable !== undefined) return deferrable ? "DEFERRABLE" : "NOT DEFERRABLE";
	return deferred === true ? "INITIALLY DEFERRED" : "INITIALLY IMMEDIATE";
}

/** Of a domain. Throws 0A000. */
export function undeferred(
	constraints: readonly (ColumnConstraint | Deferral)[],
): readonly ColumnConstraint[] {
	return constraints.map((one) => {
		if (one.kind !== "deferral") return one;
		throw new DatabaseError(
			"0A000",
			"specifying constraint deferrability not supported for domains",
			{ position: one.at + 1 },
		);
	});
}
