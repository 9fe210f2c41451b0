/** Lines of what ruleutils.c shows: where one begins, and how far in (appendContextKeyword). */

/** Of a clause; of CASE. */
export const indent = { clause: 8, branch: 4 };

/** Stands where a line begins, so that blanks before it go. */
export const lineMark = "\u0001";
const limit = 40;

export class Indentation {
	level: number;

	constructor(level = 0) {
		this.level = level;
	}

	/** A new line. `before`, `after`: what the level changes by; `plus`: how much further in than that it begins. */
	line(before = 0, after = 0, plus = 0): string {
		this.level += before;
		const deep = limit + Math.trunc((this.level - limit) / (indent.clause / 2));
		const width = this.level < limit ? Math.max(this.level, 0) : deep % limit;
		this.level = Math.max(this.level + after, 0);
		return `${lineMark}${" ".repeat(width + plus)}`;
	}
}

const marks = new RegExp(` *${lineMark}`, "g");

export const withLines = (text: string): string => text.replaceAll(marks, "\n");
