/** Membership as data: who belongs to a group, and what a change makes of it (Ongaro's thesis, chapter 4). */
import type { ReplicaId } from "@quorate/keys/ids";
import type { Configuration, ConfigurationChange } from "./types.ts";

export const isJoint = (configuration: Configuration): boolean => configuration.outgoing.length > 0;

/** Whether `replica` counts in elections and commits. */
export const isVoter = (configuration: Configuration, replica: ReplicaId): boolean =>
	configuration.voters.includes(replica) || configuration.outgoing.includes(replica);

const nobody: readonly ReplicaId[] = [];

/** The same in little memory, for who keeps thousands of them. */
export const compactConfiguration = (c: Configuration): Configuration => ({
	voters: c.voters,
	outgoing: c.outgoing.length === 0 ? nobody : c.outgoing,
	learners: c.learners.length === 0 ? nobody : c.learners,
	learnersNext: c.learnersNext.length === 0 ? nobody : c.learnersNext,
});

/** Everyone that receives the log, each once, in ascending order. */
export function members(configuration: Configuration): ReplicaId[] {
	const all = new Set<ReplicaId>(configuration.voters);
	for (const replica of configuration.outgoing) all.add(replica);
	for (const replica of configuration.learners) all.add(replica);
	for (const replica of configuration.learnersNext) all.add(replica);
	return [...all].sort((a, b) => a - b);
}

const without = (replicas: readonly ReplicaId[], replica: ReplicaId): ReplicaId[] =>
	replicas.filter((r) => r !== replica);

const including = (replicas: readonly ReplicaId[], replica: ReplicaId): ReplicaId[] =>
	replicas.includes(replica) ? [...replicas] : [...replicas, replica].sort((a, b) => a - b);

/**
 * The configuration after `change`, or a reason why there is none. One change takes effect at once (any two majorities
 * of neighbours overlap); several at once go through a joint configuration, which a `leave` ends.
 */
export function changedConfiguration(
	configuration: Configuration,
	change: ConfigurationChange,
): Configuration | { readonly refused: string } {
	if (change.leave === true) return left(configuration, change);
	if (isJoint(configuration)) return { refused: "the configuration is joint" };
	const joint = change.changes.length > 1;
	let voters: ReplicaId[] = [...configuration.voters];
	let learners: ReplicaId[] = [...configuration.learners];
	let learnersNext: ReplicaId[] = [];
	for (const { kind, replica } of change.changes) {
		voters = without(voters, replica);
		learners = without(learners, replica);
		learnersNext = without(learnersNext, replica);
		if (kind === "add-voter") voters = including(voters, replica);
		else if (kind === "add-learner") {
			// A voter of the outgoing half cannot be a learner beside it: it becomes one when the joint phase ends.
			const demoted = joint && configuration.voters.includes(replica);
			if (demoted) learnersNext = including(learnersNext, replica);
			else learners = including(learners, replica);
		}
	}
	if (voters.length === 0) return { refused: "no voter would be left" };
	return { voters, outgoing: joint ? configuration.voters : [], learners, learnersNext };
}

function left(
	configuration: Configuration,
	change: ConfigurationChange,
): Configuration | { readonly refused: string } {
	if (!isJoint(configuration)) return { refused: "the configuration is not joint" };
	if (change.changes.length > 0)
		return { refused: "leaving a joint configuration changes nothing" };
	let learners: readonly ReplicaId[] = configuration.learners;
	for (const replica of configuration.learnersNext) learners = including(learners, replica);
	return { voters: configuration.voters, outgoing: [], learners, learnersNext: [] };
}
