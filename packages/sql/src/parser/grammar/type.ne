# Names: of columns and functions, qualified or not; and of types.

columnName -> %columnName {% ([token]) => token.value %}
anyWord -> %anyWord {% id %}
label -> %anyWord {% ([token]) => token.value %}
dotted -> %columnName {% ([token]) => [token.value] %}
        | dotted "." %anyWord {% ([parts, , token]) => [...parts, token.value] %}
qualifiedName -> dotted {% ([parts], at) => ({ parts, at }) %}
calledName -> %functionName {% ([token], at) => ({ parts: [token.value], at }) %}
            | dotted "." %anyWord {% ([parts, , token], at) => ({ parts: [...parts, token.value], at }) %}
qualifiedNames -> qualifiedName {% first %} | qualifiedNames "," qualifiedName {% more %}
columnNames -> columnName {% first %} | columnNames "," columnName {% more %}
columnListOpt -> null {% () => [] %} | "(" columnNames ")" {% ([, names]) => names %}

typeName -> simpleType {% id %}
          | simpleType arrayBounds {% ([type, bounds]) => ({ ...type, dimensions: bounds.length }) %}
          | simpleType "array" {% ([type]) => ({ ...type, dimensions: 1 }) %}
          | simpleType "array" "[" %integer "]" {% ([type]) => ({ ...type, dimensions: 1 }) %}
          | simpleType "array" "[" %liftedNumber "]" {% ([type]) => ({ ...type, dimensions: 1 }) %}
          | "setof" simpleType {% () => { throw unsupported("SETOF is", "There are no functions of users."); } %}
arrayBounds -> arrayBound {% first %} | arrayBounds arrayBound {% more %}
arrayBound -> "[" "]" {% () => 1 %}
            | "[" %integer "]" {% () => 1 %}
            | "[" %liftedNumber "]" {% () => 1 %}
simpleType -> calledName modifiersOpt {% ([name, modifiers], at) => typeNode(name.parts, modifiers, at) %}
            | characterWord varyingOpt modifiersOpt {% ([, varying, modifiers], at) => characterType(varying, modifiers, at) %}
            | sizedType {% id %}
            | numberType {% id %}
            | "interval" intervalFieldsOpt {% ([, fields], at) => intervalTypeNode(fields, at) %}
            | "interval" "(" %integer ")" {% ([, , n], at) => typeNode(["interval"], [Number(n.value)], at) %}
modifiersOpt -> null {% () => [] %} | modifiers {% id %}
modifiers -> "(" integerList ")" {% ([, list]) => list %}
integerList -> integer {% first %} | integerList "," integer {% more %}
integer -> %integer {% ([token]) => Number(token.value) %}
         | "-" %integer {% ([, token]) => -Number(token.value) %}

sizedType -> "varchar" modifiersOpt {% ([, modifiers], at) => typeNode(["varchar"], modifiers, at) %}
           | "bit" modifiersOpt {% () => { throw unsupported("type bit is", "Use bytea, or text."); } %}
           | "bit" "varying" modifiersOpt {% () => { throw unsupported("type bit varying is", "Use bytea, or text."); } %}
           | "timestamp" modifiersOpt zoneOpt {% ([, modifiers, zone], at) => typeNode([zone ? "timestamptz" : "timestamp"], modifiers, at) %}
           | "time" modifiersOpt zoneOpt {% ([, modifiers, zone], at) => typeNode([zone ? "timetz" : "time"], modifiers, at) %}
characterWord -> "character" | "char" | "nchar" | "national" "character" | "national" "char"
varyingOpt -> null {% () => false %} | "varying" {% () => true %}
zoneOpt -> null {% () => false %} | "with" "time" "zone" {% () => true %} | "without" "time" "zone" {% () => false %}
numberType -> "int" {% (d, at) => typeNode(["int4"], [], at) %}
            | "integer" {% (d, at) => typeNode(["int4"], [], at) %}
            | "smallint" {% (d, at) => typeNode(["int2"], [], at) %}
            | "bigint" {% (d, at) => typeNode(["int8"], [], at) %}
            | "real" {% (d, at) => typeNode(["float4"], [], at) %}
            | "boolean" {% (d, at) => typeNode(["bool"], [], at) %}
            | "double" "precision" {% (d, at) => typeNode(["float8"], [], at) %}
            | "float" {% (d, at) => typeNode(["float8"], [], at) %}
            | "float" "(" %integer ")" {% ([, , n], at) => floatType(Number(n.value), at) %}
            | "decimal" modifiersOpt {% ([, modifiers], at) => typeNode(["numeric"], modifiers, at) %}
            | "dec" modifiersOpt {% ([, modifiers], at) => typeNode(["numeric"], modifiers, at) %}
            | "numeric" modifiersOpt {% ([, modifiers], at) => typeNode(["numeric"], modifiers, at) %}
intervalFieldsOpt -> null {% () => undefined %} | intervalFields {% id %}
# The first and the last one, and digits of seconds.
intervalFields -> intervalField {% ([field]) => ({ first: field, last: field }) %}
                | "second" modifiers {% ([, digits]) => ({ first: "second", last: "second", digits }) %}
                | "year" "to" "month" {% () => ({ first: "year", last: "month" }) %}
                | "day" "to" "hour" {% () => ({ first: "day", last: "hour" }) %}
                | minuteStart "to" "minute" {% ([first]) => ({ first, last: "minute" }) %}
                | secondStart "to" "second" {% ([first]) => ({ first, last: "second" }) %}
                | secondStart "to" "second" modifiers {% ([first, , , digits]) => ({ first, last: "second", digits }) %}
intervalField -> "year" {% () => "year" %} | "month" {% () => "month" %} | "day" {% () => "day" %} | "hour" {% () => "hour" %}
               | "minute" {% () => "minute" %} | "second" {% () => "second" %}
minuteStart -> "day" {% () => "day" %} | "hour" {% () => "hour" %}
secondStart -> "day" {% () => "day" %} | "hour" {% () => "hour" %} | "minute" {% () => "minute" %}
