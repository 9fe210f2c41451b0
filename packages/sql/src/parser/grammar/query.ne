# SELECT, VALUES, TABLE, set operations and what FROM may hold.
#
# A query in parentheses, where an expression is allowed, is `"(" bareQuery ")"`: further parentheses around it belong to the
# expression, or ((SELECT 1)) would have two readings. Where only a query is allowed they belong to `parenQuery`.

query -> bareQuery {% id %}
       | parenQuery {% id %}
parenQuery -> "(" bareQuery ")" {% ([, query]) => query %}
            | "(" parenQuery ")" {% ([, query]) => query %}
bareQuery -> body tail {% ([body, tail], at) => queryNode(body, tail, undefined, at) %}
           | parenQuery someTail {% ([inner, tail], at) => aroundQuery(inner, tail, undefined, at) %}
           | withClause body tail {% ([clause, body, tail], at) => queryNode(body, tail, clause, at) %}
           | withClause parenQuery tail {% ([clause, inner, tail], at) => aroundQuery(inner, tail, clause, at) %}

# Tails in the orders that PostgreSQL takes: ORDER BY, then limits and locks either way around.
tail -> null {% () => ({}) %} | someTail {% id %}
someTail -> sortClause {% ([orderBy]) => ({ orderBy }) %}
          | sortOpt limits {% ([orderBy, limits]) => ({ orderBy, ...limits }) %}
          | sortOpt locks {% ([orderBy, locking]) => ({ orderBy, locking }) %}
          | sortOpt limits locks {% ([orderBy, limits, locking]) => ({ orderBy, ...limits, locking }) %}
          | sortOpt locks limits {% ([orderBy, locking, limits]) => ({ orderBy, ...limits, locking }) %}
sortOpt -> null {% () => [] %} | sortClause {% id %}
sortClause -> "order" "by" sortList {% ([, , list]) => list %}
sortList -> sortItem {% first %} | sortList "," sortItem {% more %}
sortItem -> expr direction nullsOrder {% ([expression, descending, nulls]) => ({ expression, descending, nulls }) %}
          | expr "using" operator nullsOrder {% ([expression, , op, nulls]) => sortUsing(expression, op, nulls) %}
          | expr "using" comparison nullsOrder {% ([expression, , op, nulls]) => sortUsing(expression, op, nulls) %}
direction -> null {% () => false %} | "asc" {% () => false %} | "desc" {% () => true %}
nullsOrder -> null {% () => undefined %} | "nulls" "first" {% () => "first" %} | "nulls" "last" {% () => "last" %}
limits -> limit {% ([limit]) => limited(limit) %}
        | offset {% ([offset]) => ({ offset }) %}
        | limit offset {% ([limit, offset]) => ({ ...limited(limit), offset }) %}
        | offset limit {% ([offset, limit]) => ({ ...limited(limit), offset }) %}
limit -> "limit" expr {% ([, e]) => e %}
       | "limit" "all" {% () => undefined %}
       | "limit" expr "," expr {% () => { throw twoLimits(); } %}
       | "fetch" firstOrNext fetchCount rowOrRows "only" {% ([, , count], at) => count ?? one(at) %}
       | "fetch" firstOrNext fetchCount rowOrRows "with" "ties" {% ([, , count], at) => ({ count: count ?? one(at), withTies: true }) %}
firstOrNext -> "first" | "next"
rowOrRows -> "row" | "rows"
fetchCount -> null {% () => undefined %}
            | signExpr {% id %}
offset -> "offset" expr {% ([, e]) => e %}
        | "offset" signExpr rowOrRows {% ([, e]) => e %}
locks -> lockList {% id %} | "for" "read" "only" {% () => [] %}
lockList -> lock {% first %} | lockList lock {% more %}
lock -> "for" strength lockedTables wait {% ([, strength, of, wait]) => ({ strength, of, wait }) %}
strength -> "update" {% () => "update" %}
          | "no" "key" "update" {% () => "no key update" %}
          | "share" {% () => "share" %}
          | "key" "share" {% () => "key share" %}
lockedTables -> null {% () => [] %} | "of" qualifiedNames {% ([, names]) => names.map((name: QualifiedName) => name.parts.at(-1)) %}
wait -> null {% () => "block" %} | "nowait" {% () => "nowait" %} | "skip" "locked" {% () => "skip locked" %}

withOpt -> null {% () => undefined %} | withClause {% id %}
withClause -> "with" commonTables {% ([, tables]) => ({ tables, recursive: false }) %}
            | "with" "recursive" commonTables {% ([, , tables]) => ({ tables, recursive: true }) %}
commonTables -> commonTable {% first %} | commonTables "," commonTable {% more %}
commonTable -> columnName columnListOpt "as" materialized "(" query ")" searchOpt cycleOpt
               {% ([name, columns, , materialized, , query, , search, cycle], at) => ({ name, columns, query, ...materialized, ...search, ...cycle, at }) %}
             | columnName columnListOpt "as" materialized "(" changeStatement ")"
               {% ([name, columns, , , , query], at) => ({ name, columns, query, at }) %}
             | columnName columnListOpt "as" materialized "(" changeStatement ")" search cycleOpt {% notRecursive %}
             | columnName columnListOpt "as" materialized "(" changeStatement ")" cycle {% notRecursive %}
searchOpt -> null {% () => ({}) %} | search {% ([search]) => ({ search }) %}
cycleOpt -> null {% () => ({}) %} | cycle {% ([cycle]) => ({ cycle }) %}
search -> "search" searchFirst "first" "by" columnNames "set" columnName
          {% ([, breadth, , , columns, , column], at) => ({ breadth, columns, column, at }) %}
searchFirst -> "depth" {% () => false %} | "breadth" {% () => true %}
cycle -> "cycle" columnNames "set" columnName "using" columnName
         {% ([, columns, , mark, , path], at) => ({ columns, mark, values: undefined, path, at }) %}
       | "cycle" columnNames "set" columnName "to" cycleMark "default" cycleMark "using" columnName
         {% ([, columns, , mark, , found, , otherwise, , path], at) => ({ columns, mark, values: [found, otherwise], path, at }) %}
cycleMark -> constant {% id %} | typedConstant {% id %}
materialized -> null {% () => ({}) %}
              | "materialized" {% () => ({ materialized: "always" }) %}
              | "not" "materialized" {% () => ({ materialized: "never" }) %}

# INTERSECT binds tighter than UNION and EXCEPT.
body -> union {% id %} | intersection {% id %} | simple {% id %}
union -> unionLeft "union" setQuantifier unionRight {% setOperation %}
       | unionLeft "except" setQuantifier unionRight {% setOperation %}
unionLeft -> union {% id %} | unionRight {% id %}
unionRight -> intersection {% id %} | operand {% id %}
intersection -> intersectionLeft "intersect" setQuantifier operand {% setOperation %}
intersectionLeft -> intersection {% id %} | operand {% id %}
operand -> simple {% id %} | parenQuery {% id %}
setQuantifier -> null {% () => false %} | "all" {% () => true %} | "distinct" {% () => false %}

simple -> select {% id %}
        | values {% id %}
        | "table" relation {% ([, name], at) => tableQuery(name, at) %}
values -> "values" rowList {% ([, rows], at) => ({ kind: "values", rows, at }) %}
rowList -> row {% first %} | rowList "," row {% more %}
row -> "(" exprList ")" {% ([, list]) => flat(list) %}
select -> "select" distinct targetsOpt into fromOpt asOfOpt whereOpt groupOpt havingOpt windowOpt {% selectNode %}
asOfOpt -> null {% () => undefined %} | asOf {% id %}
asOf -> "as" "of" "system" "time" expr {% ([, , , , e]) => e %}
distinct -> null {% () => "all" %}
          | "all" {% () => "all" %}
          | "distinct" {% () => "distinct" %}
          | "distinct" "on" "(" exprList ")" {% ([, , , on]) => ({ on: flat(on) }) %}
targetsOpt -> null {% () => [] %} | targets {% id %}
targets -> target {% first %} | targets "," target {% more %}
target -> expr {% ([expression]) => ({ expression, alias: undefined }) %}
        | expr "as" label {% ([expression, , alias]) => ({ expression, alias }) %}
        | expr %bareLabel {% ([expression, token]) => ({ expression, alias: token.value }) %}
        | "*" {% (d, at) => ({ expression: { kind: "star", qualifier: [], at }, alias: undefined }) %}
into -> null {% () => undefined %}
      | "into" intoKind qualifiedName {% ([, temporary, name], at) => ({ name, temporary, at }) %}
intoKind -> null {% () => false %} | "table" {% () => false %} | "unlogged" tableWord {% () => false %} | scopeWord temporary tableWord {% () => true %}
fromOpt -> null {% () => [] %} | "from" tables {% ([, tables]) => tables %}
whereOpt -> null {% () => undefined %} | "where" expr {% ([, e]) => e %}
groupOpt -> null {% () => ({ groupBy: [] }) %}
          | "group" "by" groupDistinct groupList {% ([, , distinct, elements]) => groupClause(distinct, elements) %}
groupDistinct -> null {% () => false %} | "all" {% () => false %} | "distinct" {% () => true %}
groupList -> groupItem {% first %} | groupList "," groupItem {% more %}
# ROLLUP and CUBE look like calls: `groupElement` tells them apart.
groupItem -> expr {% ([e], at) => groupElement(e, at) %}
           | "(" ")" {% (d, at) => ({ kind: "set", expressions: [], at }) %}
           | "grouping" "sets" "(" groupList ")" {% ([, , , elements], at) => ({ kind: "sets", elements, at }) %}
havingOpt -> null {% () => undefined %} | "having" expr {% ([, e]) => e %}
windowOpt -> null {% () => [] %} | "window" windowList {% ([, list]) => list %}
windowList -> windowItem {% first %} | windowList "," windowItem {% more %}
windowItem -> columnName "as" window {% ([name, , window]) => ({ name, window }) %}

tables -> table {% first %} | tables "," table {% more %}
table -> plainTable {% id %} | joined {% id %}
plainTable -> relation aliasOpt {% ([name, alias], at) => tableNode(name, alias, at) %}
            | relation aliasOpt "tablesample" calledName "(" exprList ")" repeatableOpt {% () => { throw unsupported("TABLESAMPLE is", "Use WHERE random() < 0.01."); } %}
            | lateralOpt tableCall ordinality functionAlias {% functionTable %}
            | lateralOpt "rows" "from" "(" tableCalls ")" ordinality aliasOpt {% functionsTable %}
            | lateralOpt parenQuery aliasOpt {% subqueryTable %}
            | "(" joined ")" alias {% joinTable %}
repeatableOpt -> null | "repeatable" "(" expr ")"
relation -> qualifiedName {% id %}
          | qualifiedName "*" {% id %}
          | "only" qualifiedName {% ([, name]) => name %}
          | "only" "(" qualifiedName ")" {% ([, , name]) => name %}
tableCalls -> listedCall {% first %} | tableCalls "," listedCall {% more %}
listedCall -> tableCall {% id %}
            | tableCall "as" "(" columnTypes ")" {% () => { throw unsupported("column definitions in ROWS FROM are", "Write the function without ROWS FROM."); } %}
lateralOpt -> null {% () => false %} | "lateral" {% () => true %}
ordinality -> null {% () => false %} | "with" "ordinality" {% () => true %}
aliasOpt -> null {% () => undefined %} | alias {% id %}
alias -> asOpt columnName {% ([, name]) => ({ name, columns: [] }) %}
       | asOpt columnName "(" columnNames ")" {% ([, name, , columns]) => ({ name, columns }) %}
asOpt -> null | "as"
functionAlias -> aliasOpt {% id %}
               | "as" "(" columnTypes ")" {% ([, , definitions]) => ({ name: undefined, columns: [], definitions }) %}
               | asOpt columnName "(" columnTypes ")" {% ([, name, , definitions]) => ({ name, columns: [], definitions }) %}
columnTypes -> columnType {% first %}
             | columnTypes "," columnType {% more %}
columnType -> columnName typeName columnCollation {% ([name, type, collation], at) => ({ name, type: collated(type, collation), at }) %}

# A qualified join's right side may itself be a join, whose ON comes first; a cross join's may not, so joins associate to the left.
joined -> "(" joined ")" {% ([, join]) => join %}
        | table "cross" "join" plainOrParen {% ([left, word, , right]) => joinNode("cross", left, right, {}, word.start) %}
        | table joinType "join" table "on" expr {% ([left, type, word, right, , on]) => joinNode(type, left, right, { on }, word.start) %}
        | table joinType "join" table "using" "(" columnNames ")" usingAlias
          {% ([left, type, word, right, , , using, , alias]) => joinNode(type, left, right, { using, alias }, word.start) %}
        | table "natural" joinType "join" plainOrParen
          {% ([left, , type, word, right]) => joinNode(type, left, right, { natural: true }, word.start) %}
usingAlias -> null {% () => undefined %} | "as" columnName {% ([, name]) => name %}
plainOrParen -> plainTable {% id %} | "(" joined ")" {% ([, join]) => join %}
joinType -> null {% () => "inner" %}
          | "inner" {% () => "inner" %}
          | "left" outerOpt {% () => "left" %}
          | "right" outerOpt {% () => "right" %}
          | "full" outerOpt {% () => "full" %}
outerOpt -> null | "outer"
