/** Where a node is: `region=eu,zone=a`, the widest tier first. */

export interface Tier {
	readonly key: string;
	readonly value: string;
}

export type Locality = readonly Tier[];

export const localityForm = "region=eu,zone=a";
export const tiersMax = 6;
const tierForm = /^([\w-]{1,64})=([\w.-]{1,64})$/;

/** Undefined: not of that form. "" is a locality without tiers. */
export function parseLocality(text: string): Locality | undefined {
	if (text.trim() === "") return [];
	const tiers: Tier[] = [];
	for (const part of text.split(",")) {
		const [, key, value] = tierForm.exec(part.trim()) ?? [];
		if (key === undefined || value === undefined || tiers.some((tier) => tier.key === key)) {
			return undefined;
		}
		tiers.push({ key, value });
	}
	return tiers.length > tiersMax ? undefined : tiers;
}

export const formatTier = ({ key, value }: Tier): string => `${key}=${value}`;

export const formatLocality = (locality: Locality): string => locality.map(formatTier).join(",");

export const hasTier = (locality: Locality, { key, value }: Tier): boolean =>
	locality.some((tier) => tier.key === key && tier.value === value);

/** How many of the first tiers are the same, of so many: nodes that say nothing of a tier are together there. */
export function sharedTiers(a: Locality, b: Locality, tiers: number): number {
	let shared = 0;
	while (shared < tiers) {
		const [x, y] = [a[shared], b[shared]];
		if (x?.key !== y?.key || x?.value !== y?.value) break;
		shared++;
	}
	return shared;
}
