# INSERT, UPDATE, DELETE, TRUNCATE, COPY.

changeStatement -> insert {% id %} | update {% id %} | delete {% id %}
                 | withOpt "merge" "into" balanced {% () => { throw unsupported("MERGE is", "INSERT ... ON CONFLICT does much of it."); } %}

insert -> withOpt "insert" "into" relation insertAlias insertBody onConflict returning {% insertNode %}
insertAlias -> null {% () => undefined %} | "as" columnName {% ([, name]) => name %}
insertBody -> source {% ([source]) => ({ ...placedNames([]), ...source }) %}
            | "(" targetColumns ")" source {% ([, columns, , source]) => ({ ...placedNames(columns), ...source }) %}
            | "default" "values" {% () => ({ ...placedNames([]), source: "default values" }) %}
targetColumns -> placedColumn {% first %} | targetColumns "," placedColumn {% more %}
placedColumn -> targetColumn {% ([target], at) => ({ ...target, at }) %}
targetColumn -> columnName {% ([name]) => ({ name }) %}
              | columnName parts {% ([name, path]) => ({ name, path }) %}
parts -> part {% first %} | parts part {% ([list, one]) => [...list, one] %}
part -> subscript {% id %} | "." anyWord {% ([, token]) => ({ field: token.value }) %}
source -> query {% ([source]) => ({ source }) %}
        | "overriding" overridingKind "value" query {% ([, overriding, , source]) => ({ source, overriding }) %}
overridingKind -> "user" {% () => "user" %} | "system" {% () => "system" %}
onConflict -> null {% () => undefined %}
            | "on" "conflict" conflictTarget "do" "nothing" {% ([, , target], at) => ({ ...target, action: "nothing", at }) %}
            | "on" "conflict" conflictTarget "do" "update" "set" assignments whereOpt
              {% ([, , target, , , , set, where], at) => ({ ...target, action: { set, where }, at }) %}
conflictTarget -> null {% (d, at) => conflictTarget([], at) %}
                | "(" indexColumns ")" {% ([, columns], at) => conflictTarget(columns, at) %}
                | "(" indexColumns ")" "where" expr {% ([, columns, , , where], at) => ({ ...conflictTarget(columns, at), targetWhere: where }) %}
                | "on" "constraint" columnName {% ([, , constraint], at) => conflictTarget([], at, constraint) %}
returning -> null {% () => [] %} | "returning" targets {% ([, items]) => items %}

update -> withOpt "update" relation updateAlias "set" assignments fromOpt updateWhere returning {% updateNode %}
# SET is no reserved word, and still no alias.
updateAlias -> null {% () => undefined %}
             | "as" columnName {% ([, name]) => name %}
             | %aliasBeforeSet {% ([token]) => token.value %}
updateWhere -> whereOpt {% ([where]) => ({ where }) %}
             | "where" "current" "of" columnName {% ([, , , currentOf]) => ({ where: undefined, currentOf }) %}
assignments -> assignment {% ([list]) => list %}
             | assignments "," assignment {% ([head, , list]) => [...head, ...list] %}
assignment -> targetColumn "=" expr {% ([target, , value], at) => [assignmentOf(target, value, at)] %}
            | "(" targetColumns ")" "=" expr {% ([, columns, , , value]) => assignRow(columns, value) %}

delete -> withOpt "delete" "from" relation deleteAlias usingOpt updateWhere returning {% deleteNode %}
deleteAlias -> null {% () => undefined %} | asOpt columnName {% ([, name]) => name %}
usingOpt -> null {% () => [] %} | "using" tables {% ([, tables]) => tables %}

truncate -> "truncate" tableWord relations identityOpt cascadeOpt
            {% ([, , names, restartIdentity, cascade], at) => ({ kind: "truncate", names, restartIdentity, cascade, at }) %}
tableWord -> null | "table"
relations -> relation {% first %} | relations "," relation {% more %}
identityOpt -> null {% () => false %} | "restart" "identity" {% () => true %} | "continue" "identity" {% () => false %}
cascadeOpt -> null {% () => false %} | "restrict" {% () => false %} | "cascade" {% () => true %}

copy -> "copy" binaryOpt relation columnListOpt copyDirection copyTarget delimitersOpt copyOptions copyWhere {% copyTable %}
      | "copy" parenQuery "to" copyTarget copyOptions {% copyQuery %}
      | "copy" "(" changeStatement ")" "to" copyTarget copyOptions {% () => { throw unsupported("COPY of a data-modifying statement is", "Run the statement with RETURNING."); } %}
copyWhere -> null {% () => undefined %} | "where" expr {% ([word, condition]) => ({ condition, at: word.start }) %}
binaryOpt -> null {% () => [] %} | "binary" {% (d, at) => [option("format", "binary", at)] %}
copyDirection -> "from" {% () => "from" %} | "to" {% () => "to" %}
copyTarget -> "stdin" {% () => "stdin" %}
            | "stdout" {% () => "stdout" %}
            | %string {% ([token]) => ({ file: token.value }) %}
            | "program" %string {% () => { throw unsupported("COPY ... PROGRAM is", "Let the client read from the program: psql has \\\\copy ... FROM PROGRAM."); } %}
delimitersOpt -> null {% () => [] %} | "using" "delimiters" %string {% ([, , token], at) => [option("delimiter", token.value, at)] %}
copyOptions -> null {% () => [] %}
             | "with" {% () => [] %}
             | legacyOptions {% id %}
             | "with" legacyOptions {% ([, list]) => list %}
             | "(" copyOptionList ")" {% ([, list]) => list %}
             | "with" "(" copyOptionList ")" {% ([, , list]) => list %}
legacyOptions -> legacyOption {% first %} | legacyOptions legacyOption {% more %}
legacyOption -> "binary" {% (d, at) => option("format", "binary", at) %}
              | "csv" {% (d, at) => option("format", "csv", at) %}
              | "freeze" {% (d, at) => option("freeze", true, at) %}
              | "header" {% (d, at) => option("header", true, at) %}
              | "delimiter" asOpt %string {% ([, , token], at) => option("delimiter", token.value, at) %}
              | "delimiters" asOpt %string {% ([, , token], at) => option("delimiter", token.value, at) %}
              | "null" asOpt %string {% ([, , token], at) => option("null", token.value, at) %}
              | "quote" asOpt %string {% ([, , token], at) => option("quote", token.value, at) %}
              | "escape" asOpt %string {% ([, , token], at) => option("escape", token.value, at) %}
              | "encoding" %string {% ([, token], at) => option("encoding", token.value, at) %}
              | "force" "quote" columnNames {% ([, , names], at) => option("force_quote", names, at) %}
              | "force" "quote" "*" {% (d, at) => option("force_quote", "*", at) %}
              | "force" "not" "null" columnNames {% ([, , , names], at) => option("force_not_null", names, at) %}
              | "force" "null" columnNames {% ([, , names], at) => option("force_null", names, at) %}
copyOptionList -> copyOption {% first %} | copyOptionList "," copyOption {% more %}
copyOption -> label optionValueOpt {% ([name, value], at) => option(name, value, at) %}
            | label "*" {% ([name], at) => option(name, "*", at) %}
            | label "(" columnNames ")" {% ([name, , names], at) => option(name, names, at) %}
optionValueOpt -> null {% () => undefined %} | optionValue {% id %}
optionValue -> "true" {% () => true %}
             | "false" {% () => false %}
             | "on" {% () => "on" %}
             | %plainWord {% ([token]) => token.value %}
             | %string {% ([token]) => token.value %}
             | number {% id %}
number -> %integer {% ([token]) => Number(token.value) %}
        | %decimal {% ([token]) => Number(token.value) %}
        | "-" %integer {% ([, token]) => -Number(token.value) %}
        | "-" %decimal {% ([, token]) => -Number(token.value) %}
        | "+" %integer {% ([, token]) => Number(token.value) %}
