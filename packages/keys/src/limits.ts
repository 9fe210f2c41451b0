/**
 * Lengths and sizes that decide nothing but when housekeeping is due. A simulation sets them small, so that a run of seconds
 * meets what else takes hours; a node in production is started without, and no flag or setting reaches them.
 */
export interface Limits {
	/** How long records and tombstones live at least (T4). */
	readonly recordLifeMs?: number;
	/** How long history is kept. */
	readonly historyLifeMs?: number;
	/** Between two looks for records and history that have outlived that. */
	readonly collectMs?: number;
	/** A Raft log is considered for compaction after so many entries were applied. */
	readonly compactionEntries?: number;
	/** Entries that stay in the log for whoever lags behind. */
	readonly logTailEntries?: number;
	/** Of a snapshot, put in place in one go. */
	readonly installBytes?: number;
	/** A segment of the write-ahead log that has reached this size is not written to again. */
	readonly walSegmentBytes?: number;
	/** What a transaction keeps of its writes before it prepares a chunk of them. */
	readonly bufferBytes?: number;
	/** A range that holds more is split. */
	readonly rangeMaxBytes?: number;
	/** A range that is asked more often than that, in requests a second, is split if that divides them. 0: none is. */
	readonly rangeMaxLoad?: number;
	/** Between two looks whether ranges are to be split. */
	readonly divideMs?: number;
	/** For how long two ranges have to be small and cold before they are merged, whatever `range_merge_after` says. 0: they never are. */
	readonly mergeAfterMs?: number;
	/** A replica that nobody has asked for so long, and in which nothing else goes on, rests. */
	readonly restMs?: number;
	/** Between two reports of what ranges hold and how often they are asked. */
	readonly loadsMs?: number;
	/** Between two looks of the scheduler; 0: it moves nothing. */
	readonly schedulerMs?: number;
	/** After so long a silence a node counts as dead, whatever `dead_after` says. */
	readonly deadAfterMs?: number;
	/** Of a backup's data files. */
	readonly backupFileBytes?: number;
	/** Rows of one transaction of a restore. */
	readonly restoreBatchRows?: number;
}

/** While nobody has set `range_max_bytes` and `range_max_load`. */
export const defaultRangeMaxBytes = 64 << 20;
export const defaultRangeMaxLoad = 2_500;

/** While nobody has set `range_merge_after`. */
export const defaultRangeMergeAfterMs = 300_000;

/** How long history is kept while nobody has set `gc_ttl`. */
export const defaultHistoryLifeMs = 600_000;

/** After which a silent node counts as dead while nobody has set `dead_after`. */
export const defaultDeadAfterMs = 300_000;
