/** What a jsonpath says. An expression is a list: where it begins, and what is done with each item that comes of it, in turn. */
import type { Numeric } from "../numeric.ts";

export type PathExpression = readonly PathStep[];

export type Comparison = "==" | "!=" | "<" | ">" | "<=" | ">=";
export type Arithmetic = "+" | "-" | "*" | "/" | "%";
export type PathMethod = "type" | "size" | "double" | "ceiling" | "floor" | "abs" | "keyvalue";

export type PathStep =
	| { readonly kind: "root" | "current" | "last" | "null" | "any-array" | "any-key" }
	| { readonly kind: "bool"; readonly value: boolean }
	| { readonly kind: "number"; readonly value: Numeric }
	| { readonly kind: "string"; readonly value: string }
	| { readonly kind: "variable"; readonly name: string }
	| { readonly kind: "key"; readonly name: string }
	| { readonly kind: "index"; readonly subscripts: readonly Subscript[] }
	/** Levels below; undefined: the last there is. */
	| { readonly kind: "any"; readonly first: number | undefined; readonly last: number | undefined }
	| { readonly kind: "filter"; readonly condition: PathExpression }
	| { readonly kind: "method"; readonly name: PathMethod }
	| { readonly kind: "datetime"; readonly template: string | undefined }
	| {
			readonly kind: "binary";
			readonly op: Comparison | Arithmetic | "&&" | "||" | "starts with";
			readonly left: PathExpression;
			readonly right: PathExpression;
	  }
	| { readonly kind: "sign"; readonly op: "+" | "-"; readonly argument: PathExpression }
	| { readonly kind: "not" | "is unknown" | "exists"; readonly argument: PathExpression }
	| {
			readonly kind: "like_regex";
			readonly argument: PathExpression;
			readonly pattern: string;
			/** Of i, s, m, x and q, as they are shown. */
			readonly flags: string;
	  };

export interface Subscript {
	readonly from: PathExpression;
	readonly to: PathExpression | undefined;
}

export interface JsonPath {
	readonly kind: "jsonpath";
	readonly lax: boolean;
	readonly expression: PathExpression;
	/** Rough bytes in memory. */
	readonly size: number;
}

/** All expressions inside of a step. */
export function partsOf(step: PathStep): readonly PathExpression[] {
	switch (step.kind) {
		case "filter":
			return [step.condition];
		case "binary":
			return [step.left, step.right];
		case "sign":
		case "not":
		case "is unknown":
		case "exists":
		case "like_regex":
			return [step.argument];
		case "index":
			return step.subscripts.flatMap(({ from, to }) => (to === undefined ? [from] : [from, to]));
		default:
			return [];
	}
}
