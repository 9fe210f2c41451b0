# Expressions, one level a step of PostgreSQL's table of precedence (manual 4.1.6), from OR down to subscripts. Levels instead of
# precedence declarations, since an Earley parser would return every reading of an ambiguous grammar.

expr -> orList {% all("or") %}
      | andExpr {% id %}
      | "default" {% (d, at) => ({ kind: "default", at }) %}
orList -> andExpr "or" andExpr {% pair %}
        | orList "or" andExpr {% more %}
andExpr -> andList {% all("and") %}
         | notExpr {% id %}
andList -> notExpr "and" notExpr {% pair %}
         | andList "and" notExpr {% more %}
notExpr -> "not" notExpr {% (d, at) => ({ kind: "not", operand: d[1], at }) %}
         | rangeExpr comparison "not" notExpr {% ([a, op, , b]) => binary(op, a, { kind: "not", operand: b, at: op.start }) %}
         | isExpr {% id %}

isExpr -> compareExpr {% id %}
        | tested {% id %}
        | tested comparison rangeExpr {% ([a, op, b]) => binary(op, a, b) %}
        | isExpr "is" "distinct" "from" compareExpr {% ([a, is, , , b]) => distinct(a, b, is.start) %}
        | isExpr "is" "not" "distinct" "from" compareExpr
          {% ([a, is, , , , b]) => ({ kind: "not", operand: distinct(a, b, is.start), at: is.start }) %}
tested -> isExpr "is" isTest {% ([a, is, test]) => isNode(a, test, false, is.start) %}
        | isExpr "is" "not" isTest {% ([a, is, , test]) => isNode(a, test, true, is.start) %}
        | isExpr "isnull" {% ([a, is]) => isNode(a, "null", false, is.start) %}
        | isExpr "notnull" {% ([a, is]) => isNode(a, "null", true, is.start) %}
        | isExpr "is" normalFormOpt "normalized" {% ([a, is, form]) => isNormalized(a, form, is.start) %}
        | isExpr "is" "not" normalFormOpt "normalized"
          {% ([a, is, , form]) => ({ kind: "not", operand: isNormalized(a, form, is.start), at: is.start }) %}
        | isExpr "is" "document" {% () => { throw unsupported("IS DOCUMENT is", noXml); } %}
        | isExpr "is" "not" "document" {% () => { throw unsupported("IS DOCUMENT is", noXml); } %}
normalFormOpt -> null {% () => undefined %} | normalForm {% id %}
normalForm -> formWord {% ([word], at) => ({ kind: "literal", type: "string", text: word.text.toUpperCase(), at }) %}
formWord -> "nfc" {% id %} | "nfd" {% id %} | "nfkc" {% id %} | "nfkd" {% id %}
isTest -> "null" {% () => "null" %}
        | "true" {% () => "true" %}
        | "false" {% () => "false" %}
        | "unknown" {% () => "unknown" %}

comparison -> "<" {% id %} | ">" {% id %} | "=" {% id %} | "<=" {% id %} | ">=" {% id %} | "<>" {% id %}
compareExpr -> rangeExpr {% id %}
             | rangeExpr comparison rangeExpr {% ([a, op, b]) => binary(op, a, b) %}
             | rangeExpr comparison quantifier "(" expr ")"
               {% ([a, op, q, , right]) => quantified(a, op.text, q, right, op.start) %}
             | rangeExpr comparison quantifier "(" bareQuery ")"
               {% ([a, op, q, , right]) => quantified(a, op.text, q, right, op.start) %}
quantifier -> "any" {% () => "any" %} | "some" {% () => "any" %} | "all" {% () => "all" %}

rangeExpr -> opExpr {% id %}
           | opExpr notOpt "between" symmetry opExpr "and" opExpr {% between %}
           | opExpr notOpt "in" "(" exprList ")" {% inList %}
           | opExpr notOpt "in" "(" bareQuery ")" {% inQuery %}
           | opExpr notOpt likeWord opExpr escape {% like %}
           | opExpr notOpt likeWord quantifier "(" expr ")" {% likeAny %}
           | opExpr notOpt likeWord quantifier "(" bareQuery ")" {% likeAny %}
           | opExpr notOpt "similar" "to" opExpr escape {% similar %}
           | opExpr "overlaps" opExpr {% overlaps %}
notOpt -> null {% () => undefined %} | "not" {% id %}
symmetry -> null {% () => false %} | "asymmetric" {% () => false %} | "symmetric" {% () => true %}
likeWord -> "like" {% id %} | "ilike" {% id %}
escape -> null {% () => undefined %} | "escape" opExpr {% ([, e]) => e %}

operator -> %operator {% id %}
          | "operator" "(" anyOperator ")" {% ([word, , op]) => ({ ...op, start: word.start }) %}
anyOperator -> operatorText {% id %}
             | columnName "." anyOperator {% ([, , op]) => op %}
operatorText -> %operator {% id %}
              | "+" {% id %} | "-" {% id %} | "*" {% id %} | "/" {% id %} | "%" {% id %} | "^" {% id %} | comparison {% id %}
opExpr -> addExpr {% id %}
        | prefixExpr {% id %}
        | opExpr operator addExpr {% ([a, op, b]) => binary(op, a, b) %}
        | addTail {% id %}
        | opExpr operator prefixExpr {% ([a, op, b]) => binary(op, a, b) %}
        | opExpr operator addTail {% ([a, op, b]) => binary(op, a, b) %}
        | opExpr operator quantifier "(" expr ")" {% ([a, op, q, , right]) => quantified(a, op.text, q, right, op.start) %}
        | opExpr operator quantifier "(" bareQuery ")" {% ([a, op, q, , right]) => quantified(a, op.text, q, right, op.start) %}
prefixExpr -> operator addExpr {% ([op, a]) => unary(op, a) %}
            | operator prefixExpr {% ([op, a]) => unary(op, a) %}
            | operator addTail {% ([op, a]) => unary(op, a) %}
# Arithmetic whose last operand begins with a prefix operator: that one takes all arithmetic to its right.
addTail -> addExpr "+" lastAdd {% ([a, op, b]) => binary(op, a, b) %}
         | addExpr "-" lastAdd {% ([a, op, b]) => binary(op, a, b) %}
         | mulTail {% id %}
lastAdd -> prefixExpr {% id %} | mulTail {% id %}
mulTail -> mulExpr "*" lastMul {% ([a, op, b]) => binary(op, a, b) %}
         | mulExpr "/" lastMul {% ([a, op, b]) => binary(op, a, b) %}
         | mulExpr "%" lastMul {% ([a, op, b]) => binary(op, a, b) %}
         | powerTail {% id %}
lastMul -> prefixExpr {% id %} | powerTail {% id %}
powerTail -> powerExpr "^" prefixExpr {% ([a, op, b]) => binary(op, a, b) %}
addExpr -> mulExpr {% id %}
         | addExpr "+" mulExpr {% ([a, op, b]) => binary(op, a, b) %}
         | addExpr "-" mulExpr {% ([a, op, b]) => binary(op, a, b) %}
mulExpr -> powerExpr {% id %}
         | mulExpr "*" powerExpr {% ([a, op, b]) => binary(op, a, b) %}
         | mulExpr "/" powerExpr {% ([a, op, b]) => binary(op, a, b) %}
         | mulExpr "%" powerExpr {% ([a, op, b]) => binary(op, a, b) %}
powerExpr -> zoneExpr {% id %}
           | powerExpr "^" zoneExpr {% ([a, op, b]) => binary(op, a, b) %}
zoneExpr -> collateExpr {% id %}
          | zoneExpr "at" "time" "zone" collateExpr
            {% ([operand, at, , , zone]) => ({ kind: "at-time-zone", operand, zone, at: at.start }) %}
collateExpr -> signExpr {% id %}
             | collateExpr "collate" qualifiedName
               {% ([operand, word, collation]) => ({ kind: "collate", operand, collation, at: word.start }) %}
signExpr -> castExpr {% id %}
          | "-" signExpr {% ([op, a]) => negate(op, a) %}
          | "+" signExpr {% ([op, a]) => unary(op, a) %}
castExpr -> primary {% id %}
          | castExpr "::" typeName {% ([operand, op, type]) => ({ kind: "cast", operand, type, at: op.start }) %}

primary -> constant {% id %}
         | typedConstant {% id %}
         | accessed {% id %}
         | fieldable "." "*" {% ([operand], at) => ({ kind: "fields", operand, at }) %}
         | accessed "." "*" {% ([operand], at) => ({ kind: "fields", operand, at }) %}
         | unsubscripted {% id %}
         | call {% id %}
subscriptable -> columnReference {% id %}
               | fieldable {% id %}
# What follows a point would be a part of a name elsewhere.
fieldable -> %parameter {% ([token]) => constant(token) %}
           | "(" expr ")" {% ([, inner]) => closed(inner) %}
           | "(" bareQuery ")" {% ([, query], at) => ({ kind: "scalar-query", query, at }) %}
unsubscripted -> subscriptable {% id %}
               | "exists" parenQuery {% ([, query], at) => ({ kind: "exists", query, at }) %}
               | "unique" parenQuery {% () => { throw unsupported("the UNIQUE predicate is", "Compare count(*) with count(DISTINCT ...)."); } %}
               | "array" parenQuery {% ([, query], at) => ({ kind: "array-query", query, at }) %}
               | "array" arrayElements {% ([, elements], at) => ({ ...elements, at }) %}
               | "row" "(" ")" {% (d, at) => ({ kind: "row", elements: [], at }) %}
               | "row" "(" exprList ")" {% ([, , elements], at) => ({ kind: "row", elements: flat(elements), at }) %}
               | "(" exprList "," expr ")" {% ([, head, , last], at) => ({ kind: "row", elements: [...flat(head), last], at }) %}
               | "case" caseOperand whenList caseElse "end" {% caseNode %}
accessed -> subscriptable subscript {% subscriptNode %}
          | fieldable "." anyWord {% fieldNode %}
          | accessed subscript {% subscriptNode %}
          | accessed "." anyWord {% fieldNode %}
subscript -> "[" expr "]" {% ([, index]) => ({ index }) %}
           | "[" exprOpt ":" exprOpt "]" {% ([, lower, , upper]) => ({ lower, upper }) %}
exprOpt -> null {% () => undefined %} | expr {% id %}
arrayElements -> "[" "]" {% (d, at) => ({ kind: "array", elements: [], at }) %}
               | "[" exprList "]" {% ([, elements], at) => ({ kind: "array", elements: flat(elements), at }) %}
               | "[" arrayList "]" {% ([, elements], at) => ({ kind: "array", elements, at }) %}
arrayList -> arrayElements {% first %} | arrayList "," arrayElements {% more %}
columnReference -> qualifiedName {% ([name], at) => ({ kind: "column", name, at }) %}
                 | dotted "." "*" {% ([parts], at) => ({ kind: "star", qualifier: parts, at }) %}

caseOperand -> null {% () => undefined %} | expr {% id %}
whenList -> when {% first %} | whenList when {% more %}
when -> "when" expr "then" expr {% ([, when, , then], at) => ({ when, then, at }) %}
caseElse -> null {% () => undefined %} | "else" expr {% ([, e]) => e %}

constant -> %integer {% ([token]) => constant(token) %}
          | %decimal {% ([token]) => constant(token) %}
          | string {% id %}
          | %liftedNumber {% ([token]) => constant(token) %}
          | "null" {% (d, at) => ({ kind: "null", at }) %}
          | "true" {% (d, at) => ({ kind: "boolean", value: true, at }) %}
          | "false" {% (d, at) => ({ kind: "boolean", value: false, at }) %}
string -> %string {% ([token]) => constant(token) %}
        | %liftedString {% ([token]) => constant(token) %}
typedConstant -> typeConstantName string {% ([type, operand], at) => ({ kind: "cast", operand, type, at }) %}
               | "interval" string {% ([, operand], at) => castTo(operand, "interval", [], at) %}
               | "interval" string intervalFields {% ([, operand, fields], at) => intervalNode(operand, fields, at) %}
               | "interval" "(" %integer ")" string {% ([, , p, , operand], at) => castTo(operand, "interval", [Number(p.value)], at) %}
typeConstantName -> calledName modifiers {% ([name, modifiers], at) => typeNode(name.parts, modifiers, at) %}
                  | calledName {% ([name], at) => typeNode(name.parts, [], at) %}
                  | characterWord varyingOpt modifiersOpt {% ([, varying, modifiers], at) => typeNode([varying ? "varchar" : "bpchar"], modifiers, at) %}
                  | sizedType {% id %}
                  | numberType {% id %}

# A list may hold packed constants (tokens.ts): `flat` puts them in their places.
exprList -> listItem {% first %} | exprList "," listItem {% more %}
listItem -> expr {% id %}
          | %packed {% id %}
