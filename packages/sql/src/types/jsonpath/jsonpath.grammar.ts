// Generated automatically by nearley, version 2.20.1
// http://github.com/Hardmath123/nearley
// Bypasses TS6133. Allow declared but unused functions.
// @ts-ignore
function id(d: any[]): any { return d[0]; }

import { anyLevel, between, binary, item, likeRegex, method, more, signed, step } from "./build.ts";

interface NearleyToken {
  value: any;
  [key: string]: any;
};

interface NearleyLexer {
  reset: (chunk: string, info: any) => void;
  next: () => NearleyToken | undefined;
  save: () => any;
  formatError: (token: never) => string;
  has: (tokenType: string) => boolean;
};

interface NearleyRule {
  name: string;
  symbols: NearleySymbol[];
  postprocess?: (d: any, at: number) => any;
};

type NearleySymbol = string | { literal: any } | { type: string } | { test: (token: any) => boolean };

interface Grammar {
  Lexer: NearleyLexer | undefined;
  ParserRules: NearleyRule[];
  ParserStart: string;
};

const grammar: Grammar = {
  Lexer: undefined,
  ParserRules: [
    {"name": "path", "symbols": ["mode", "expression"], "postprocess": ([lax, expression]) => ({ kind: "jsonpath", lax, expression })},
    {"name": "path", "symbols": ["mode", "predicate"], "postprocess": ([lax, expression]) => ({ kind: "jsonpath", lax, expression })},
    {"name": "mode", "symbols": [], "postprocess": () => true},
    {"name": "mode", "symbols": [{"literal":"lax"}], "postprocess": () => true},
    {"name": "mode", "symbols": [{"literal":"strict"}], "postprocess": () => false},
    {"name": "predicate", "symbols": ["conjunction"], "postprocess": id},
    {"name": "predicate", "symbols": ["predicate", {"literal":"||"}, "conjunction"], "postprocess": binary},
    {"name": "conjunction", "symbols": ["test"], "postprocess": id},
    {"name": "conjunction", "symbols": ["conjunction", {"literal":"&&"}, "test"], "postprocess": binary},
    {"name": "test", "symbols": ["delimited"], "postprocess": id},
    {"name": "test", "symbols": [{"literal":"!"}, "delimited"], "postprocess": ([, argument]) => item({ kind: "not", argument })},
    {"name": "test", "symbols": [{"literal":"("}, "predicate", {"literal":")"}, {"literal":"is"}, {"literal":"unknown"}], "postprocess": ([, argument]) => item({ kind: "is unknown", argument })},
    {"name": "test", "symbols": ["expression", "comparison", "expression"], "postprocess": binary},
    {"name": "test", "symbols": ["expression", {"literal":"starts"}, {"literal":"with"}, "initial"], "postprocess": ([left, , , right]) => item({ kind: "binary", op: "starts with", left, right })},
    {"name": "test", "symbols": ["expression", {"literal":"like_regex"}, {type: "string"}], "postprocess": ([argument, , pattern]) => likeRegex(argument, pattern, undefined)},
    {"name": "test", "symbols": ["expression", {"literal":"like_regex"}, {type: "string"}, {"literal":"flag"}, {type: "string"}], "postprocess": ([argument, , pattern, , flags]) => likeRegex(argument, pattern, flags)},
    {"name": "delimited", "symbols": [{"literal":"("}, "predicate", {"literal":")"}], "postprocess": ([, one]) => one},
    {"name": "delimited", "symbols": [{"literal":"exists"}, {"literal":"("}, "expression", {"literal":")"}], "postprocess": ([, , argument]) => item({ kind: "exists", argument })},
    {"name": "comparison", "symbols": [{"literal":"=="}], "postprocess": id},
    {"name": "comparison", "symbols": [{"literal":"!="}], "postprocess": id},
    {"name": "comparison", "symbols": [{"literal":"<"}], "postprocess": id},
    {"name": "comparison", "symbols": [{"literal":">"}], "postprocess": id},
    {"name": "comparison", "symbols": [{"literal":"<="}], "postprocess": id},
    {"name": "comparison", "symbols": [{"literal":">="}], "postprocess": id},
    {"name": "initial", "symbols": [{type: "string"}], "postprocess": ([{ value }]) => item({ kind: "string", value })},
    {"name": "initial", "symbols": [{type: "variable"}], "postprocess": ([{ value }]) => item({ kind: "variable", name: value })},
    {"name": "expression", "symbols": ["product"], "postprocess": id},
    {"name": "expression", "symbols": ["expression", {"literal":"+"}, "product"], "postprocess": binary},
    {"name": "expression", "symbols": ["expression", {"literal":"-"}, "product"], "postprocess": binary},
    {"name": "product", "symbols": ["factor"], "postprocess": id},
    {"name": "product", "symbols": ["product", {"literal":"*"}, "factor"], "postprocess": binary},
    {"name": "product", "symbols": ["product", {"literal":"/"}, "factor"], "postprocess": binary},
    {"name": "product", "symbols": ["product", {"literal":"%"}, "factor"], "postprocess": binary},
    {"name": "factor", "symbols": [{"literal":"+"}, "factor"], "postprocess": signed},
    {"name": "factor", "symbols": [{"literal":"-"}, "factor"], "postprocess": signed},
    {"name": "factor", "symbols": [{"literal":"("}, "expression", {"literal":")"}], "postprocess": ([, one]) => one},
    {"name": "factor", "symbols": ["accessor"], "postprocess": id},
    {"name": "accessor", "symbols": ["primary"], "postprocess": ([one]) => item(one)},
    {"name": "accessor", "symbols": [{"literal":"("}, "expression", {"literal":")"}, "step"], "postprocess": ([, path, , one]) => [...path, one]},
    {"name": "accessor", "symbols": [{"literal":"("}, "predicate", {"literal":")"}, "step"], "postprocess": ([, path, , one]) => [...path, one]},
    {"name": "accessor", "symbols": ["accessor", "step"], "postprocess": ([path, one]) => [...path, one]},
    {"name": "primary", "symbols": [{type: "string"}], "postprocess": ([{ value }]) => ({ kind: "string", value })},
    {"name": "primary", "symbols": [{"literal":"null"}], "postprocess": () => ({ kind: "null" })},
    {"name": "primary", "symbols": [{"literal":"true"}], "postprocess": () => ({ kind: "bool", value: true })},
    {"name": "primary", "symbols": [{"literal":"false"}], "postprocess": () => ({ kind: "bool", value: false })},
    {"name": "primary", "symbols": ["number"], "postprocess": id},
    {"name": "primary", "symbols": [{type: "variable"}], "postprocess": ([{ value }]) => ({ kind: "variable", name: value })},
    {"name": "primary", "symbols": [{"literal":"$"}], "postprocess": () => ({ kind: "root" })},
    {"name": "primary", "symbols": [{"literal":"@"}], "postprocess": () => ({ kind: "current" })},
    {"name": "primary", "symbols": [{"literal":"last"}], "postprocess": () => ({ kind: "last" })},
    {"name": "number", "symbols": [{type: "integer"}], "postprocess": step.number},
    {"name": "number", "symbols": [{type: "number"}], "postprocess": step.number},
    {"name": "step", "symbols": [{"literal":"."}, "key"], "postprocess": ([, token]) => ({ kind: "key", name: token.value })},
    {"name": "step", "symbols": [{"literal":"."}, {"literal":"*"}], "postprocess": () => ({ kind: "any-key" })},
    {"name": "step", "symbols": [{"literal":"["}, {"literal":"*"}, {"literal":"]"}], "postprocess": () => ({ kind: "any-array" })},
    {"name": "step", "symbols": [{"literal":"["}, "subscripts", {"literal":"]"}], "postprocess": ([, subscripts]) => ({ kind: "index", subscripts })},
    {"name": "step", "symbols": [{"literal":"."}, {"literal":"**"}], "postprocess": () => ({ kind: "any", first: 0, last: undefined })},
    {"name": "step", "symbols": [{"literal":"."}, {"literal":"**"}, {"literal":"{"}, "level", {"literal":"}"}], "postprocess": ([, , , level]) => ({ kind: "any", first: level, last: level })},
    {"name": "step", "symbols": [{"literal":"."}, {"literal":"**"}, {"literal":"{"}, "level", {"literal":"to"}, "level", {"literal":"}"}], "postprocess": ([, , , first, , last]) => ({ kind: "any", first, last })},
    {"name": "step", "symbols": [{"literal":"."}, "methodName", {"literal":"("}, {"literal":")"}], "postprocess": ([, name]) => method(name)},
    {"name": "step", "symbols": [{"literal":"."}, {"literal":"datetime"}, {"literal":"("}, {"literal":")"}], "postprocess": () => ({ kind: "datetime", template: undefined })},
    {"name": "step", "symbols": [{"literal":"."}, {"literal":"datetime"}, {"literal":"("}, {type: "string"}, {"literal":")"}], "postprocess": ([, , , { value }]) => ({ kind: "datetime", template: value })},
    {"name": "step", "symbols": [{"literal":"?"}, {"literal":"("}, "predicate", {"literal":")"}], "postprocess": ([, , condition]) => ({ kind: "filter", condition })},
    {"name": "key", "symbols": [{type: "word"}], "postprocess": id},
    {"name": "key", "symbols": [{type: "string"}], "postprocess": id},
    {"name": "level", "symbols": [{type: "integer"}], "postprocess": anyLevel},
    {"name": "level", "symbols": [{"literal":"last"}], "postprocess": () => undefined},
    {"name": "methodName", "symbols": [{"literal":"abs"}], "postprocess": id},
    {"name": "methodName", "symbols": [{"literal":"size"}], "postprocess": id},
    {"name": "methodName", "symbols": [{"literal":"type"}], "postprocess": id},
    {"name": "methodName", "symbols": [{"literal":"floor"}], "postprocess": id},
    {"name": "methodName", "symbols": [{"literal":"double"}], "postprocess": id},
    {"name": "methodName", "symbols": [{"literal":"ceiling"}], "postprocess": id},
    {"name": "methodName", "symbols": [{"literal":"keyvalue"}], "postprocess": id},
    {"name": "subscripts", "symbols": ["subscript"], "postprocess": ([one]) => [one]},
    {"name": "subscripts", "symbols": ["subscripts", {"literal":","}, "subscript"], "postprocess": more},
    {"name": "subscript", "symbols": ["expression"], "postprocess": ([from]) => ({ from, to: undefined })},
    {"name": "subscript", "symbols": ["expression", {"literal":"to"}, "expression"], "postprocess": between}
  ],
  ParserStart: "path",
};

export default grammar;
