/** The cursors of a session, as its statements see them. */
import type { Key } from "@quorate/keys/key";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import type { RowMove } from "./row-moves.ts";

export interface CursorRows {
	/** The key of the row on which a cursor stands; undefined: there is none any more. `prefix`: of the table's keys. Throws 34000, 24000. */
	currentKey(cursor: string, table: TableDescriptor, prefix: Key): Key | undefined;
	/** Whether there are any that want to know where rows go. */
	readonly isWatching: boolean;
	moved(moves: readonly RowMove[]): void;
}
