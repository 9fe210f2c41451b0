/**
 * Runs a jsonpath on a document, as PostgreSQL's jsonpath_exec.c does: step by step, each item that comes of one handed to the next.
 *
 * 1. With `found` undefined only the answer whether there is an item counts, and the first one ends the search; errors behind it are not found. So it
 *    is in PostgreSQL, and only where the standard allows it: not in strict mode.
 * 2. What a path may complain of (`PathError`) makes a predicate unknown, and is nothing at all where the caller is silent. Other errors get through.
 * 3. A path takes no more steps than `stepsMax`, whatever it and the document are: nested .** have no other bound.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { int4Max, int4Min } from "../../types/integer-types.ts";
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../types/json-value.ts";
import { pathPattern } from "../../types/jsonpath/parse.ts";
import type {
	Arithmetic,
	Comparison,
	JsonPath,
	PathExpression,
	PathStep,
	Subscript,
} from "../../types/jsonpath/path.ts";
import { compareNumeric, type Numeric, numericFromNumber } from "../../types/numeric.ts";
import * as arithmetic from "../../types/numeric-arithmetic.ts";
import { matcherOf } from "../../types/regular-expression.ts";
import { compareText } from "../../types/text-values.ts";
import { compareMoments, isMoment, isNumber, type PathItem, typeNameOf } from "./item.ts";
import { KeyValues } from "./key-values.ts";
import { datetime, double, PathError, pathError, rounding } from "./methods.ts";

/** Items that are looked at, and what else takes as long. */
const stepsMax = 1_000_000;

/** Undefined: unknown. */
type Truth = boolean | undefined;
type Found = PathItem[] | undefined;

export interface PathOptions {
	/** Values of variables; undefined: there are none, and all are null. */
	readonly variables: JsonObject | undefined;
	/** Of the session, where the path may make use of it. */
	readonly zone: string | undefined;
	/** Start of the transaction. */
	readonly now: bigint;
}

const operations: Readonly<Record<Arithmetic, (a: Numeric, b: Numeric) => Numeric>> = {
	"+": arithmetic.add,
	"-": arithmetic.subtract,
	"*": arithmetic.multiply,
	"/": arithmetic.divide,
	"%": arithmetic.modulo,
};

const isContainer = (value: PathItem): value is readonly Json[] | JsonObject =>
	isJsonArray(value as Json) || isJsonObject(value as Json);

const asArray = (value: PathItem): readonly Json[] | undefined =>
	isJsonArray(value as Json) ? (value as readonly Json[]) : undefined;

export class PathRun {
	readonly #root: Json;
	readonly #lax: boolean;
	readonly #options: PathOptions;
	readonly #expression: PathExpression;
	readonly #keyValues: KeyValues;
	#current: PathItem;
	/** Of members and elements that are not there nothing is said. */
	#lenient: boolean;
	/** Of the innermost array that is subscripted. */
	#size = -1;
	#steps = 0;

	constructor(path: JsonPath, root: Json, options: PathOptions) {
		this.#root = root;
		this.#current = root;
		this.#lax = path.lax;
		this.#lenient = path.lax;
		this.#expression = path.expression;
		this.#options = options;
		this.#keyValues = new KeyValues(root, options.variables, (steps) => this.#spend(steps));
	}

	/** Whether there is an item. Throws `PathError`. */
	exists(): boolean {
		if (this.#lax) return this.#run(this.#expression, 0, this.#root, undefined);
		return this.all([]).length > 0;
	}

	/** Adds all items. Throws `PathError`; what was found before is there then. */
	all(found: PathItem[]): readonly PathItem[] {
		this.#run(this.#expression, 0, this.#root, found);
		return found;
	}

	#spend(steps: number): void {
		this.#steps += steps;
		if (this.#steps <= stepsMax) return;
		throw new DatabaseError("54000", "jsonpath takes too many steps on this document", {
			hint: `At most ${stepsMax} items are looked at. Each .** looks at all levels below each item.`,
		});
	}

	/** Step `at` of the expression and those after it. Answers whether anything came of it. */
	#run(
		path: PathExpression,
		at: number,
		value: PathItem,
		found: Found,
		unwrap = this.#lax,
	): boolean {
		this.#spend(1);
		const step = path[at]!;
		switch (step.kind) {
			case "root":
				return this.#keyValues.within(this.#root, 0, () => this.#next(path, at, this.#root, found));
			case "current":
				return this.#next(path, at, this.#current, found);
			case "last": {
				if (at === path.length - 1 && found === undefined) return true;
				return this.#next(path, at, numericFromNumber(this.#size - 1), found);
			}
			case "null":
				return this.#literal(path, at, null, found);
			case "bool":
			case "number":
			case "string":
				return this.#literal(path, at, step.value, found);
			case "variable":
				return this.#variable(path, at, step.name, found);
			case "key":
				return this.#key(path, at, step.name, value, found, unwrap);
			case "any-key":
				return this.#anyKey(path, at, value, found, unwrap);
			case "any-array":
				return this.#anyElement(path, at, value, found);
			case "index":
				return this.#index(path, at, step.subscripts, value, found);
			case "any":
				return this.#anyLevel(path, at, step, value, found);
			case "filter":
				return this.#filter(path, at, step.condition, value, found, unwrap);
			case "method":
			case "datetime":
				return this.#method(path, at, step, value, found, unwrap);
			case "sign":
				return this.#sign(path, at, step, value, found);
			case "binary":
				if (step.op in operations) return this.#arithmetic(path, at, step, value, found);
				return this.#truth(path, at, value, found);
			default:
				return this.#truth(path, at, value, found);
		}
	}

	/** Hands an item to the step behind `at`, or it is one that was found. */
	#next(path: PathExpression, at: number, value: PathItem, found: Found): boolean {
		if (at + 1 < path.length) return this.#run(path, at + 1, value, found);
		found?.push(value);
		return true;
	}

	#literal(path: PathExpression, at: number, value: PathItem, found: Found): boolean {
		if (at === path.length - 1 && found === undefined) return true;
		return this.#next(path, at, value, found);
	}

	#variable(path: PathExpression, at: number, name: string, found: Found): boolean {
		if (at === path.length - 1 && found === undefined) return true;
		const { variables } = this.#options;
		if (variables === undefined) return this.#next(path, at, null, found);
		const value = variables.get(name);
		if (value === undefined) {
			throw new DatabaseError("42704", `could not find jsonpath variable "${name}"`);
		}
		return this.#keyValues.within(variables, 1, () => this.#next(path, at, value, found));
	}

	#key(
		path: PathExpression,
		at: number,
		name: string,
		value: PathItem,
		found: Found,
		unwrap: boolean,
	): boolean {
		if (isJsonObject(value as Json)) {
			const member = (value as JsonObject).get(name);
			if (member !== undefined) return this.#next(path, at, member, found);
			if (this.#lenient) return false;
			throw pathError("2203A", `JSON object does not contain key "${name}"`);
		}
		const items = unwrap ? asArray(value) : undefined;
		if (items !== undefined) return this.#each(path, at, items, found, false);
		if (this.#lenient) return false;
		throw pathError("2203A", "jsonpath member accessor can only be applied to an object");
	}

	#anyKey(
		path: PathExpression,
		at: number,
		value: PathItem,
		found: Found,
		unwrap: boolean,
	): boolean {
		if (isJsonObject(value as Json)) {
			return this.#each(path, at + 1, (value as JsonObject).values(), found, this.#lax);
		}
		const items = unwrap ? asArray(value) : undefined;
		if (items !== undefined) return this.#each(path, at, items, found, false);
		if (this.#lenient) return false;
		throw pathError("2203C", "jsonpath wildcard member accessor can only be applied to an object");
	}

	#anyElement(path: PathExpression, at: number, value: PathItem, found: Found): boolean {
		const items = asArray(value);
		if (items !== undefined) return this.#each(path, at + 1, items, found, this.#lax);
		if (this.#lax) return this.#next(path, at, value, found);
		if (this.#lenient) return false;
		throw pathError("22039", "jsonpath wildcard array accessor can only be applied to an array");
	}

	/** Step `at` for each of them; behind the last step each is one that was found. */
	#each(
		path: PathExpression,
		at: number,
		items: Iterable<Json>,
		found: Found,
		unwrap: boolean,
	): boolean {
		let result = false;
		for (const item of items) {
			if (at < path.length) {
				result = this.#run(path, at, item, found, unwrap);
				if (result && found === undefined) return true;
			} else {
				this.#spend(1);
				if (found === undefined) return true;
				found.push(item);
			}
		}
		return result;
	}

	#index(
		path: PathExpression,
		at: number,
		subscripts: readonly Subscript[],
		value: PathItem,
		found: Found,
	): boolean {
		const items = asArray(value) ?? (this.#lax ? [value] : undefined);
		if (items === undefined) {
			if (this.#lenient) return false;
			throw pathError("22039", "jsonpath array accessor can only be applied to an array");
		}
		const outer = this.#size;
		this.#size = items.length;
		try {
			let result = false;
			for (const subscript of subscripts) {
				result = this.#range(path, at, subscript, value, items, found);
				if (result && found === undefined) return true;
			}
			return result;
		} finally {
			this.#size = outer;
		}
	}

	#range(
		path: PathExpression,
		at: number,
		subscript: Subscript,
		value: PathItem,
		items: readonly PathItem[],
		found: Found,
	): boolean {
		const first = this.#subscript(subscript.from, value);
		const last = subscript.to === undefined ? first : this.#subscript(subscript.to, value);
		if (!this.#lenient && (first < 0 || first > last || last >= items.length)) {
			throw pathError("22033", "jsonpath array subscript is out of bounds");
		}
		let result = false;
		for (let i = Math.max(first, 0); i <= Math.min(last, items.length - 1); i++) {
			if (at === path.length - 1 && found === undefined) return true;
			result = this.#next(path, at, items[i]!, found);
			this.#spend(1);
			if (result && found === undefined) return true;
		}
		return result;
	}

	#subscript(path: PathExpression, value: PathItem): number {
		const found: PathItem[] = [];
		this.#run(path, 0, value, found);
		const [only] = found;
		if (found.length !== 1 || !isNumber(only!)) {
			throw pathError("22033", "jsonpath array subscript is not a single numeric value");
		}
		const { special, unscaled } = arithmetic.truncate(only, 0);
		if (special !== 0 || unscaled < BigInt(int4Min) || unscaled > BigInt(int4Max)) {
			throw pathError("22033", "jsonpath array subscript is out of integer range");
		}
		return Number(unscaled);
	}

	#anyLevel(
		path: PathExpression,
		at: number,
		{ first, last }: Extract<PathStep, { kind: "any" }>,
		value: PathItem,
		found: Found,
	): boolean {
		let result = false;
		if (first === 0) {
			result = this.#leniently(() => this.#next(path, at, value, found));
			if (result && found === undefined) return true;
		}
		if (!isContainer(value)) return result;
		const levels = {
			first: first ?? Number.POSITIVE_INFINITY,
			last: last ?? Number.POSITIVE_INFINITY,
		};
		return this.#below(path, at + 1, value, found, 1, levels);
	}

	#leniently(body: () => boolean): boolean {
		const before = this.#lenient;
		this.#lenient = true;
		try {
			return body();
		} finally {
			this.#lenient = before;
		}
	}

	#below(
		path: PathExpression,
		at: number,
		container: readonly Json[] | JsonObject,
		found: Found,
		level: number,
		levels: { readonly first: number; readonly last: number },
	): boolean {
		if (level > levels.last) return false;
		let result = false;
		for (const item of container.values()) {
			this.#spend(1);
			const isLeaf = levels.first === Number.POSITIVE_INFINITY && !isContainer(item);
			if (level >= levels.first || isLeaf) {
				if (at < path.length) {
					result = this.#leniently(() => this.#run(path, at, item, found));
					if (result && found === undefined) return true;
				} else if (found === undefined) {
					return true;
				} else {
					found.push(item);
				}
			}
			if (level < levels.last && isContainer(item)) {
				result = this.#below(path, at, item, found, level + 1, levels);
				if (result && found === undefined) return true;
			}
		}
		return result;
	}

	#filter(
		path: PathExpression,
		at: number,
		condition: PathExpression,
		value: PathItem,
		found: Found,
		unwrap: boolean,
	): boolean {
		const items = unwrap ? asArray(value) : undefined;
		if (items !== undefined) return this.#each(path, at, items, found, false);
		const outer = this.#current;
		this.#current = value;
		let holds: Truth;
		try {
			holds = this.#holds(condition, value);
		} finally {
			this.#current = outer;
		}
		return holds === true && this.#next(path, at, value, found);
	}

	#method(
		path: PathExpression,
		at: number,
		step: Extract<PathStep, { kind: "method" | "datetime" }>,
		value: PathItem,
		found: Found,
		unwrap: boolean,
	): boolean {
		const name = step.kind === "datetime" ? "datetime" : step.name;
		const items = asArray(value);
		if (unwrap && items !== undefined && name !== "type" && name !== "size") {
			return this.#each(path, at, items, found, false);
		}
		switch (name) {
			case "type":
				return this.#next(path, at, typeNameOf(value), found);
			case "size": {
				if (items === undefined && !this.#lax) {
					if (this.#lenient) return false;
					throw pathError("22039", "jsonpath item method .size() can only be applied to an array");
				}
				return this.#next(path, at, numericFromNumber(items?.length ?? 1), found);
			}
			case "double":
				return this.#next(path, at, double(value), found);
			case "datetime": {
				const template = step.kind === "datetime" ? step.template : undefined;
				return this.#literal(path, at, datetime(value, template), found);
			}
			case "keyvalue":
				return this.#keyValue(path, at, value, found);
			default:
				return this.#literal(path, at, rounding(name, value), found);
		}
	}

	#keyValue(path: PathExpression, at: number, value: PathItem, found: Found): boolean {
		if (!isJsonObject(value as Json)) {
			throw pathError("2203C", "jsonpath item method .keyvalue() can only be applied to an object");
		}
		let result = false;
		const isLast = at === path.length - 1;
		for (const [pair, id] of this.#keyValues.pairsOf(value as JsonObject)) {
			if (isLast && found === undefined) return true;
			result = this.#keyValues.within(pair, id, () => this.#next(path, at, pair, found));
			if (result && found === undefined) return true;
		}
		return result;
	}

	/** Items of an operand; in lax mode those of its arrays. */
	#operand(path: PathExpression, value: PathItem, unwrap = true): PathItem[] {
		const found: PathItem[] = [];
		this.#run(path, 0, value, found);
		if (!unwrap || !this.#lax || !found.some((one) => asArray(one) !== undefined)) return found;
		return found.flatMap((one): readonly PathItem[] => {
			const items = asArray(one);
			this.#spend(items?.length ?? 1);
			return items ?? [one];
		});
	}

	#arithmetic(
		path: PathExpression,
		at: number,
		{ op, left, right }: Extract<PathStep, { kind: "binary" }>,
		value: PathItem,
		found: Found,
	): boolean {
		const sides = [this.#operand(left, value), this.#operand(right, value)] as const;
		const numbers = sides.map((side, i) => {
			const [only] = side;
			if (side.length === 1 && isNumber(only!)) return only;
			throw pathError(
				"22038",
				`${i === 0 ? "left" : "right"} operand of jsonpath operator ${op} is not a single numeric value`,
			);
		}) as [Numeric, Numeric];
		const width = widthOf(numbers[0]) + widthOf(numbers[1]);
		this.#spend(2 * width * width);
		let result: Numeric;
		try {
			result = operations[op as Arithmetic](...numbers);
		} catch (error) {
			throw error instanceof DatabaseError ? pathError(error.code, error.message) : error;
		}
		return this.#literal(path, at, result, found);
	}

	#sign(
		path: PathExpression,
		at: number,
		{ op, argument }: Extract<PathStep, { kind: "sign" }>,
		value: PathItem,
		found: Found,
	): boolean {
		const isLast = at === path.length - 1;
		let result = false;
		for (const one of this.#operand(argument, value)) {
			if (isNumber(one)) {
				if (isLast && found === undefined) return true;
			} else {
				if (isLast && found === undefined) continue;
				throw pathError("2203B", `operand of unary jsonpath operator ${op} is not a numeric value`);
			}
			if (this.#next(path, at, op === "-" ? arithmetic.negate(one) : one, found)) {
				if (found === undefined) return true;
				result = true;
			}
		}
		return result;
	}

	/** What a predicate says, as an item. */
	#truth(path: PathExpression, at: number, value: PathItem, found: Found): boolean {
		const truth = this.#holds([path[at]!], value);
		return this.#literal(path, at, truth ?? null, found);
	}

	#holds(path: PathExpression, value: PathItem): Truth {
		this.#spend(1);
		const [step] = path;
		switch (step!.kind) {
			case "not": {
				const truth = this.#holds(step.argument, value);
				return truth === undefined ? undefined : !truth;
			}
			case "is unknown":
				return this.#holds(step.argument, value) === undefined;
			case "exists":
				return this.#there(step.argument, value);
			case "like_regex": {
				const pattern = pathPattern(step.pattern, step.flags);
				return this.#predicate(value, step.argument, undefined, (one) => {
					if (typeof one !== "string") return undefined;
					this.#spend(one.length / charactersAStep);
					return matcherOf(pattern, one, false).find();
				});
			}
			case "binary":
				return this.#binaryHolds(step, value);
			default:
				return undefined;
		}
	}

	#binaryHolds({ op, left, right }: Extract<PathStep, { kind: "binary" }>, value: PathItem): Truth {
		if (op === "&&" || op === "||") {
			const decides = op === "||";
			const first = this.#holds(left, value);
			if (first === decides) return decides;
			const second = this.#holds(right, value);
			return second === !decides ? first : second;
		}
		if (op === "starts with") {
			const starts = (whole: PathItem, start?: PathItem): Truth =>
				typeof whole === "string" && typeof start === "string"
					? whole.startsWith(start)
					: undefined;
			return this.#predicate(value, left, right, starts, false);
		}
		const comparison = op as Comparison;
		return this.#predicate(value, left, right, (a, b) => this.#compare(comparison, a, b!));
	}

	#there(argument: PathExpression, value: PathItem): Truth {
		return this.#orUnknown(() => {
			if (this.#lax) return this.#run(argument, 0, value, undefined);
			return this.#operand(argument, value, false).length > 0;
		});
	}

	#orUnknown<T>(body: () => T): T | undefined {
		const [lenient, size, current] = [this.#lenient, this.#size, this.#current];
		try {
			return body();
		} catch (error) {
			if (!(error instanceof PathError)) throw error;
			[this.#lenient, this.#size, this.#current] = [lenient, size, current];
			return undefined;
		}
	}

	/** Whether it holds of any pair of items. In strict mode all are looked at, and one of which it cannot be said decides. */
	#predicate(
		value: PathItem,
		left: PathExpression,
		right: PathExpression | undefined,
		holds: (a: PathItem, b?: PathItem) => Truth,
		unwrapRight = true,
	): Truth {
		const lefts = this.#orUnknown(() => this.#operand(left, value));
		if (lefts === undefined) return undefined;
		const rights: readonly (PathItem | undefined)[] | undefined =
			right === undefined
				? [undefined]
				: this.#orUnknown(() => this.#operand(right, value, unwrapRight));
		if (rights === undefined) return undefined;
		let [isUnknown, isTrue] = [false, false];
		for (const a of lefts) {
			for (const b of rights) {
				this.#spend(1);
				const truth = holds(a, b);
				if (truth === undefined) {
					if (!this.#lax) return undefined;
					isUnknown = true;
				} else if (truth) {
					if (this.#lax) return true;
					isTrue = true;
				}
			}
		}
		return isTrue ? true : isUnknown ? undefined : false;
	}

	#compare(op: Comparison, a: PathItem, b: PathItem): Truth {
		if (a === null || b === null) {
			if (a !== b) return op === "!=";
			return op === "==" || op === "<=" || op === ">=";
		}
		const order = this.#order(a, b);
		switch (order === undefined ? undefined : op) {
			case "==":
				return order === 0;
			case "!=":
				return order !== 0;
			case "<":
				return order! < 0;
			case ">":
				return order! > 0;
			case "<=":
				return order! <= 0;
			case ">=":
				return order! >= 0;
			default:
				return undefined;
		}
	}

	/** Undefined: they cannot be compared. */
	#order(a: PathItem, b: PathItem): number | undefined {
		if (typeof a === "string" && typeof b === "string") return compareText(a, b);
		if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
		if (isNumber(a) && isNumber(b)) return compareNumeric(a, b);
		if (isMoment(a) && isMoment(b)) {
			return compareMoments(a, b, this.#options.zone, this.#options.now);
		}
		return undefined;
	}
}

/** Of a text that a pattern is looked for in. */
const charactersAStep = 16;

const wide = 1n << 256n;

/** How long a number is, roughly; 0: not so long that it counts. */
const widthOf = ({ unscaled }: Numeric): number =>
	unscaled < wide && unscaled > -wide ? 0 : Math.ceil(unscaled.toString(16).length / 64);
