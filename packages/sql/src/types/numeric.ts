/** TO BE REPLACED by the implementation: exact decimal numbers with a display scale, over decimal.js. */
export interface Numeric {
	readonly kind: "numeric";
}
