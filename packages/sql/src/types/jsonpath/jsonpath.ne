# PostgreSQL 15's jsonpath (jsonpath_gram.y), its precedences spelled out. `npm run grammar -w packages/sql` makes jsonpath.grammar.ts from it.
# Symbols in quotes are compared with a token's text, those after % are kinds of tokens (scan.ts). It has one parse of each path.
@preprocessor typescript
@{%
import { anyLevel, between, binary, item, likeRegex, method, more, signed, step } from "./build.ts";
%}
@lexer tokens

path -> mode expression {% ([lax, expression]) => ({ kind: "jsonpath", lax, expression }) %}
      | mode predicate {% ([lax, expression]) => ({ kind: "jsonpath", lax, expression }) %}
mode -> null {% () => true %} | "lax" {% () => true %} | "strict" {% () => false %}

predicate -> conjunction {% id %}
           | predicate "||" conjunction {% binary %}
conjunction -> test {% id %}
             | conjunction "&&" test {% binary %}
test -> delimited {% id %}
      | "!" delimited {% ([, argument]) => item({ kind: "not", argument }) %}
      | "(" predicate ")" "is" "unknown" {% ([, argument]) => item({ kind: "is unknown", argument }) %}
      | expression comparison expression {% binary %}
      | expression "starts" "with" initial {% ([left, , , right]) => item({ kind: "binary", op: "starts with", left, right }) %}
      | expression "like_regex" %string {% ([argument, , pattern]) => likeRegex(argument, pattern, undefined) %}
      | expression "like_regex" %string "flag" %string {% ([argument, , pattern, , flags]) => likeRegex(argument, pattern, flags) %}
delimited -> "(" predicate ")" {% ([, one]) => one %}
           | "exists" "(" expression ")" {% ([, , argument]) => item({ kind: "exists", argument }) %}
comparison -> "==" {% id %} | "!=" {% id %} | "<" {% id %} | ">" {% id %} | "<=" {% id %} | ">=" {% id %}
initial -> %string {% ([{ value }]) => item({ kind: "string", value }) %}
         | %variable {% ([{ value }]) => item({ kind: "variable", name: value }) %}

expression -> product {% id %}
            | expression "+" product {% binary %}
            | expression "-" product {% binary %}
product -> factor {% id %}
         | product "*" factor {% binary %}
         | product "/" factor {% binary %}
         | product "%" factor {% binary %}
factor -> "+" factor {% signed %}
        | "-" factor {% signed %}
        | "(" expression ")" {% ([, one]) => one %}
        | accessor {% id %}
accessor -> primary {% ([one]) => item(one) %}
          | "(" expression ")" step {% ([, path, , one]) => [...path, one] %}
          | "(" predicate ")" step {% ([, path, , one]) => [...path, one] %}
          | accessor step {% ([path, one]) => [...path, one] %}

primary -> %string {% ([{ value }]) => ({ kind: "string", value }) %}
         | "null" {% () => ({ kind: "null" }) %}
         | "true" {% () => ({ kind: "bool", value: true }) %}
         | "false" {% () => ({ kind: "bool", value: false }) %}
         | number {% id %}
         | %variable {% ([{ value }]) => ({ kind: "variable", name: value }) %}
         | "$" {% () => ({ kind: "root" }) %}
         | "@" {% () => ({ kind: "current" }) %}
         | "last" {% () => ({ kind: "last" }) %}
number -> %integer {% step.number %} | %number {% step.number %}

step -> "." key {% ([, token]) => ({ kind: "key", name: token.value }) %}
      | "." "*" {% () => ({ kind: "any-key" }) %}
      | "[" "*" "]" {% () => ({ kind: "any-array" }) %}
      | "[" subscripts "]" {% ([, subscripts]) => ({ kind: "index", subscripts }) %}
      | "." "**" {% () => ({ kind: "any", first: 0, last: undefined }) %}
      | "." "**" "{" level "}" {% ([, , , level]) => ({ kind: "any", first: level, last: level }) %}
      | "." "**" "{" level "to" level "}" {% ([, , , first, , last]) => ({ kind: "any", first, last }) %}
      | "." methodName "(" ")" {% ([, name]) => method(name) %}
      | "." "datetime" "(" ")" {% () => ({ kind: "datetime", template: undefined }) %}
      | "." "datetime" "(" %string ")" {% ([, , , { value }]) => ({ kind: "datetime", template: value }) %}
      | "?" "(" predicate ")" {% ([, , condition]) => ({ kind: "filter", condition }) %}
key -> %word {% id %} | %string {% id %}
level -> %integer {% anyLevel %} | "last" {% () => undefined %}
methodName -> "abs" {% id %} | "size" {% id %} | "type" {% id %} | "floor" {% id %} | "double" {% id %} | "ceiling" {% id %} | "keyvalue" {% id %}
subscripts -> subscript {% ([one]) => [one] %} | subscripts "," subscript {% more %}
subscript -> expression {% ([from]) => ({ from, to: undefined }) %}
           | expression "to" expression {% between %}
