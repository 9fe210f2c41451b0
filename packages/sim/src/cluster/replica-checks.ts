/** What must hold once faults have ended and clients are quiet: nothing is left half done, and all replicas of a range are equal. */
import type { RangeId } from "@quorate/keys/ids";
import { rangeSpan } from "@quorate/keys/range";
import { encodeRangeState } from "@quorate/replica/range-state";
import type { Replica } from "@quorate/replica/replica";
import { engineSpans } from "@quorate/storage/engine-keys";
import type { SimCluster } from "./sim-cluster.ts";

const settleMs = 60_000;

/** One more death is to be survived from here on: whoever has slept through a split or a merge has heard of it. */
export async function checkMembers(cluster: SimCluster): Promise<void> {
	await cluster.until("all merges have ended", settleMs, () =>
		[...replicasByRange(cluster).values()].every((replicas) =>
			replicas.every(({ state }) => state.merging === undefined && state.frozen === undefined),
		),
	);
	await cluster.until("all members of ranges are there", settleMs, () =>
		[...replicasByRange(cluster).values()].every(
			(replicas) => replicas.length >= replicas[0]!.state.descriptor.replicas.length,
		),
	);
}

export async function checkReplicas(cluster: SimCluster): Promise<void> {
	await cluster.until("all intents and pending writes are gone", settleMs, () =>
		cluster
			.serving()
			.every((n) => n.store.statuses().every((s) => s.intents === 0 && s.pendingWrites === 0)),
	);
	let seen = new Map<RangeId, Replica[]>();
	await cluster.until("all replicas have applied the same", settleMs, () => {
		seen = replicasByRange(cluster);
		return [...seen.values()].every(isLevel);
	});
	for (const [rangeId, replicas] of seen) {
		const [first, ...others] = replicas.map(contentOf);
		const intent = first!.find(([k]) => k.startsWith("i"));
		if (intent !== undefined) {
			cluster.problems.push(`range ${rangeId} holds an intent that is not counted: ${intent[0]}`);
		}
		for (const [i, other] of others.entries()) {
			const difference = firstDifference(first!, other);
			if (difference !== undefined) {
				cluster.problems.push(
					`range ${rangeId} at index ${replicas[0]!.state.appliedIndex}: replicas ` +
						`${replicas[0]!.replicaId} and ${replicas[i + 1]!.replicaId} differ: ${difference}`,
				);
			}
		}
	}
}

function replicasByRange(cluster: SimCluster): Map<RangeId, Replica[]> {
	const found = new Map<RangeId, Replica[]>();
	for (const node of cluster.serving()) {
		for (const { descriptor } of node.store.statuses()) {
			const replica = node.store.replica(descriptor.rangeId);
			const list = found.get(descriptor.rangeId);
			if (replica === undefined) continue;
			if (list === undefined) found.set(descriptor.rangeId, [replica]);
			else list.push(replica);
		}
	}
	return found;
}

/** Every member is there, and all have applied up to the same index. */
function isLevel(replicas: readonly Replica[]): boolean {
	const { appliedIndex, descriptor } = replicas[0]!.state;
	return (
		replicas.length === descriptor.replicas.length &&
		replicas.every((r) => r.state.appliedIndex === appliedIndex)
	);
}

type Content = readonly (readonly [string, string])[];

function contentOf(replica: Replica): Content {
	const { engine } = replica.context;
	const content: [string, string][] = [
		["state", Buffer.from(encodeRangeState(replica.state)).toString("latin1")],
	];
	for (const span of engineSpans(rangeSpan(replica.state.descriptor))) {
		const it = engine.iterate(span);
		for (; it.key !== undefined; it.next()) {
			content.push([it.key, Buffer.from(it.value).toString("latin1")]);
		}
		it.close();
	}
	return content;
}

function firstDifference(a: Content, b: Content): string | undefined {
	for (let i = 0; i < Math.max(a.length, b.length); i++) {
		const [x, y] = [a[i], b[i]];
		if (x?.[0] !== y?.[0] || x?.[1] !== y?.[1]) {
			return `${JSON.stringify(x)} and ${JSON.stringify(y)}`;
		}
	}
	return undefined;
}
