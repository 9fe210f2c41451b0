# Function calls, and the constructs that look like them.

call -> plainCall withinOpt callFilter overOpt {% finishCall %}
      | specialCall {% id %}
# In FROM neither FILTER nor OVER may follow.
tableCall -> plainCall {% id %} | specialCall {% id %}

plainCall -> calledName "(" ")" {% ([name], at) => callNode(name, [], at) %}
           | calledName "(" "*" ")" {% ([name], at) => callNode(name, [], at, { star: true }) %}
           | calledName "(" argList sortOpt ")" {% ([name, , args, orderBy], at) => callNode(name, placedArguments(name, flat(args)), at, { orderBy }) %}
           | calledName "(" "all" argList sortOpt ")" {% ([name, , , args, orderBy], at) => callNode(name, flat(args), at, { orderBy }) %}
           | calledName "(" "distinct" argList sortOpt ")"
             {% ([name, , , args, orderBy], at) => callNode(name, flat(args), at, { orderBy, distinct: true }) %}
           | calledName "(" "variadic" expr sortOpt ")"
             {% ([name, , , last, orderBy], at) => callNode(name, [last], at, { orderBy, variadic: true }) %}
           | calledName "(" argList "," "variadic" expr sortOpt ")"
             {% ([name, , args, , , last, orderBy], at) => callNode(name, [...flat(args), last], at, { orderBy, variadic: true }) %}
argList -> arg {% first %} | argList "," arg {% more %}
arg -> listItem {% id %}
     | columnName "=>" expr {% ([name, , value], at) => ({ kind: "named-argument", name, value, at }) %}
     | columnName ":=" expr {% ([name, , value], at) => ({ kind: "named-argument", name, value, at }) %}
withinOpt -> null {% () => undefined %} | "within" "group" "(" sortClause ")" {% ([, , , orderBy], at) => ({ orderBy, at }) %}
callFilter -> null {% () => undefined %}
            | "filter" "(" "where" expr ")" {% ([, , , condition]) => condition %}
overOpt -> null {% () => undefined %} | callOver {% id %}
callOver -> "over" windowName {% ([, name]) => name %}
          | "over" window {% ([, window]) => window %}
window -> "(" baseWindow partitionOpt sortOpt frameOpt ")" {% windowNode %}
baseWindow -> null {% () => undefined %} | windowName {% id %}
windowName -> columnName {% ([name], at) => ({ kind: "window-name", name, at }) %}
partitionOpt -> null {% () => [] %} | "partition" "by" exprList {% ([, , list]) => flat(list) %}
frameOpt -> null {% () => undefined %}
          | frameUnit frameBound frameExclusion {% frameNode %}
          | frameUnit "between" frameBound "and" frameBound frameExclusion {% frameBetween %}
frameUnit -> "rows" {% id %} | "range" {% id %} | "groups" {% id %}
# UNBOUNDED is read as a name, which could not stand there: `frameBound` tells it apart.
frameBound -> expr "preceding" {% ([offset, word], at) => frameBound(offset, word, at) %}
            | expr "following" {% ([offset, word], at) => frameBound(offset, word, at) %}
            | "current" "row" {% (d, at) => ({ edge: "current row", at }) %}
frameExclusion -> null {% () => "no others" %}
                | "exclude" "current" "row" {% () => "current row" %}
                | "exclude" "group" {% () => "group" %}
                | "exclude" "ties" {% () => "ties" %}
                | "exclude" "no" "others" {% () => "no others" %}

specialCall -> "current_date" {% special %}
             | "current_time" precisionOpt {% special %}
             | "current_timestamp" precisionOpt {% special %}
             | "localtime" precisionOpt {% special %}
             | "localtimestamp" precisionOpt {% special %}
             | "current_role" {% special %}
             | "current_user" {% special %}
             | "session_user" {% special %}
             | "user" {% special %}
             | "current_catalog" {% special %}
             | "current_schema" {% special %}
             | "cast" "(" expr "as" typeName ")" {% ([, , operand, , type], at) => ({ kind: "cast", operand, type, at }) %}
             | "coalesce" "(" exprList ")" {% specialList %}
             | "greatest" "(" exprList ")" {% specialList %}
             | "least" "(" exprList ")" {% specialList %}
             | "nullif" "(" expr "," expr ")" {% ([word, , a, , b], at) => callNode(nameOf("nullif", at), [a, b], at) %}
             | "extract" "(" extractField "from" expr ")"
               {% ([, , field, , from], at) => callNode(nameOf("extract", at), [field, from], at, worded) %}
             | "position" "(" opExpr "in" opExpr ")" {% ([, , part, , whole], at) => callNode(nameOf("position", at), [whole, part], at, worded) %}
             | "overlay" "(" expr "placing" expr "from" expr ")" {% ([, , a, , b, , c], at) => callNode(nameOf("overlay", at), [a, b, c], at, worded) %}
             | "overlay" "(" expr "placing" expr "from" expr "for" expr ")"
               {% ([, , a, , b, , c, , e], at) => callNode(nameOf("overlay", at), [a, b, c, e], at, worded) %}
             | "overlay" "(" exprList ")" {% specialList %}
             | "overlay" "(" ")" {% ([word], at) => callNode(nameOf(word.text, at), [], at) %}
             | "substring" "(" ")" {% ([word], at) => callNode(nameOf(word.text, at), [], at) %}
             | "substring" "(" exprList ")" {% specialList %}
             | "substring" "(" expr "from" expr ")" {% ([, , a, , b], at) => callNode(nameOf("substring", at), [a, b], at, worded) %}
             | "substring" "(" expr "from" expr "for" expr ")" {% ([, , a, , b, , c], at) => callNode(nameOf("substring", at), [a, b, c], at, worded) %}
             | "substring" "(" expr "for" expr ")" {% ([, , a, , c], at) => callNode(nameOf("substring", at), [a, one(at), c], at, worded) %}
             | "substring" "(" expr "for" expr "from" expr ")" {% ([, , a, , c, , b], at) => callNode(nameOf("substring", at), [a, b, c], at, worded) %}
             | "substring" "(" expr "similar" expr "escape" expr ")" {% ([, , a, , b, , c], at) => callNode(nameOf("substring", at), [a, b, c], at, worded) %}
             | "trim" "(" trimSide trimList ")" {% ([, , side, args], at) => callNode(nameOf(side, at), args, at, worded) %}
             | "collation" "for" "(" expr ")" {% () => { throw unsupported("COLLATION FOR is", "All text has the collation \"C\"."); } %}
             | "normalize" "(" expr ")" {% ([, , text], at) => callNode(nameOf("normalize", at), [text], at) %}
             | "normalize" "(" expr "," normalForm ")" {% ([, , text, , form], at) => callNode(nameOf("normalize", at), [text, form], at) %}
             | "treat" "(" expr "as" typeName ")" {% () => { throw unsupported("TREAT is", "Use CAST."); } %}
             | xmlWord "(" balanced ")" {% ([[word]]) => { throw unsupported(word.text.toUpperCase() + " is", noXml); } %}
             | "grouping" "(" exprList ")" {% ([, , args], at) => ({ kind: "grouping", args: flat(args), at }) %}
xmlWord -> "xmlconcat" | "xmlelement" | "xmlexists" | "xmlforest" | "xmlparse" | "xmlpi" | "xmlroot" | "xmlserialize" | "xmltable"
precisionOpt -> null {% () => undefined %}
              | "(" %integer ")" {% ([, n]) => constant(n) %}
              | "(" %liftedNumber ")" {% ([, n]) => constant(n) %}
extractField -> anyWord {% ([word], at) => ({ kind: "literal", type: "string", text: word.value, at }) %}
              | string {% id %}
trimSide -> null {% () => "btrim" %} | "both" {% () => "btrim" %} | "leading" {% () => "ltrim" %} | "trailing" {% () => "rtrim" %}
trimList -> expr "from" exprList {% ([characters, , list]) => [...flat(list), characters] %}
          | "from" exprList {% ([, list]) => flat(list) %}
          | exprList {% ([list]) => flat(list) %}
