/** Whether two servers answered alike: columns with their types, rows, tags, and of an error its code and where it points. */
import { sameAnswer } from "../conformance-file.ts";

/** Without what is said in words only. */
export function essence(answer: readonly string[]): string[] {
	return answer
		.filter((line) => !/^(DETAIL|HINT|CONTEXT|FIELDS|NOTICE|WARNING|INFO|parameter )/.test(line))
		.map((line) => line.replace(/^(ERROR \S+( at \d+)?):.*/, "$1"));
}

export function agree(statement: string, a: readonly string[], b: readonly string[]): boolean {
	const [one, two] = [essence(a), essence(b)];
	return (
		sameAnswer(statement, one, two) ||
		(one.length === two.length && one.sort().every((line, i) => nearly(line, two.sort()[i]!)))
	);
}

/** Functions of C's library and of JavaScript's round the last digit of some results otherwise: 1e-14 is one in the last but one. */
function nearly(a: string, b: string): boolean {
	const [left, right] = [a.split("|"), b.split("|")];
	return (
		left.length === right.length &&
		left.every((field, i) => {
			const [x, y] = [Number(field), Number(right[i])];
			return field === right[i] || (field !== "" && Math.abs(x - y) <= 1e-14 * Math.abs(x));
		})
	);
}
