/** What a leaseholder has decided about its range, for people: it is shown beside what the scheduler decides. */
import type { RangeId } from "@quorate/keys/ids";

export interface Decision {
	readonly kind: "split";
	readonly rangeId: RangeId;
	readonly reason: string;
	readonly tookMs: number;
}
