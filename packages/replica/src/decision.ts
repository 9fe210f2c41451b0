/** What a leaseholder, or somebody by hand, has decided about a range and done, for people: it is shown beside what the scheduler decides. */
import type { RangeId } from "@quorate/keys/ids";

export interface Decision {
	readonly kind: "split" | "merge";
	readonly rangeId: RangeId;
	readonly reason: string;
	readonly tookMs: number;
}
