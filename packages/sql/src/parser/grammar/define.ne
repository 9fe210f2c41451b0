# CREATE, ALTER, DROP.

createTable -> definedTable {% id %}
             | "create" persistence "table" ifNotExists qualifiedName columnListOpt tableAsTail "as" query withData {% createTableAs %}
             | "create" persistence "table" ifNotExists qualifiedName columnListOpt tableAsTail "as" execute withData
               {% createTableAs %}
definedTable -> "create" persistence "table" ifNotExists qualifiedName "(" tableElements ")" tableTail {% createTable %}
              | "create" persistence "table" ifNotExists qualifiedName "partition" "of" anyTokens
                {% () => { throw unsupported("partitioned tables are", "Quorate splits tables by itself."); } %}
              | "create" persistence "table" ifNotExists qualifiedName "of" anyTokens {% () => { throw unsupported("typed tables are", "Name the columns."); } %}
persistence -> null {% () => false %}
             | "unlogged" {% () => false %}
             | scopeWord temporary {% () => true %}
scopeWord -> null | "local" | "global"
temporary -> "temporary" | "temp"
ifNotExists -> null {% () => false %} | "if" "not" "exists" {% () => true %}
ifExists -> null {% () => false %} | "if" "exists" {% () => true %}
tableElements -> null {% () => [] %} | tableElementList {% id %}
tableElementList -> tableElement {% first %} | tableElementList "," tableElement {% more %}
tableElement -> column {% id %}
              | tableConstraint {% id %}
              | "like" qualifiedName likeOptions {% ([, table, options], at) => ({ kind: "like", table, including: likeParts(options), at }) %}
likeOptions -> null {% () => [] %}
             | likeOptions likeInclusion anyWord {% ([options, including, { value, start }]) => [...options, option(value, including, start)] %}
likeInclusion -> "including" {% () => true %} | "excluding" {% () => false %}
tableTail -> tableAsTail {% id %}
           | "partition" "by" anyTokens {% () => { throw unsupported("partitioned tables are", "Quorate splits tables by itself."); } %}
           | "inherits" anyTokens {% () => { throw unsupported("table inheritance is", "Use LIKE for the columns, and a view with UNION ALL for the rows."); } %}
tableAsTail -> accessMethod tableOptions onCommit tablespaceOpt {% ([, options, onCommit]) => ({ options, onCommit }) %}
accessMethod -> null | "using" columnName
tablespaceOpt -> null | tablespace
tablespace -> "tablespace" columnName {% () => { throw unsupported("tablespaces are", "Leave it out: ALTER TABLE ... CONFIGURE says where rows are."); } %}
onCommit -> null {% () => undefined %}
          | "on" "commit" "drop" {% () => "drop" %}
          | "on" "commit" "delete" "rows" {% () => "delete" %}
          | "on" "commit" "preserve" "rows" {% () => "preserve" %}
tableOptions -> null {% () => [] %}
              | "with" storage {% ([, options]) => options %}
              | "without" "oids" {% () => [] %}
storage -> "(" storageList ")" {% ([, list]) => list %}
storageList -> storageOption {% first %} | storageList "," storageOption {% more %}
storageOption -> label {% ([name], at) => option(name, undefined, at) %}
               | label "=" optionValue {% ([name, , value], at) => option(name, value, at) %}
               | label "." label "=" optionValue {% ([space, , name, , value], at) => option(space + "." + name, value, at) %}
withData -> null {% () => true %} | "with" "data" {% () => true %}
          | "with" "no" "data" {% () => false %}

column -> columnName typeName columnCompression columnCollation columnConstraints
          {% ([name, type, , collation, constraints], at) => columnNode(name, type, collation, constraints, at) %}
# As with ALTER TABLE: it changes nothing.
columnCompression -> null | "compression" columnName | "compression" "default"
columnCollation -> null {% () => undefined %} | "collate" qualifiedName {% ([word, name]) => collateClause(word, name) %}
columnConstraints -> null {% () => [] %} | columnConstraintList {% id %}
# COLLATE may stand between them; behind a default it is part of that.
columnConstraintList -> closedConstraints {% id %}
                      | columnDefault {% first %}
                      | columnConstraintList columnDefault {% more %}
closedConstraints -> columnConstraint {% first %}
                   | columnConstraintList columnConstraint {% more %}
                   | closedConstraints "collate" qualifiedName {% ([list, word, name]) => [...list, collateClause(word, name)] %}
columnConstraint -> columnConstraintBody {% ([body], at) => ({ name: undefined, ...body, at }) %}
                  | "constraint" columnName columnConstraintBody {% ([, name, body], at) => ({ name, ...body, at }) %}
columnDefault -> "default" defaultExpr {% ([, value], at) => ({ name: undefined, kind: "default", value, at }) %}
               | "constraint" columnName "default" defaultExpr {% ([, name, , value], at) => ({ name, kind: "default", value, at }) %}
defaultExpr -> opExpr {% id %}
             | opExpr comparison opExpr {% ([a, op, b]) => binary(op, a, b) %}
             | opExpr "is" "distinct" "from" opExpr {% ([a, is, , , b]) => distinct(a, b, is.start) %}
             | opExpr "is" "not" "distinct" "from" opExpr
               {% ([a, is, , , , b]) => ({ kind: "not", operand: distinct(a, b, is.start), at: is.start }) %}
             | opExpr "is" "document" {% () => { throw unsupported("IS DOCUMENT is", noXml); } %}
columnConstraintBody -> "not" "null" {% () => ({ kind: "not-null" }) %}
                      | "null" {% () => ({ kind: "null" }) %}
                      | "primary" "key" indexTail {% () => ({ kind: "primary-key" }) %}
                      | "unique" nullsDistinct indexTail {% ([, nulls]) => ({ kind: "unique", ...nulls }) %}
                      | "check" "(" expr ")" noInherit {% ([, , condition, , noInherit]) => ({ kind: "check", condition, ...noInherit }) %}
                      | "references" qualifiedName columnListOpt referenceActions
                        {% ([, table, columns, actions]) => ({ kind: "references", table, columns, ...actions }) %}
                      | "generated" generatedWhen "as" "identity" identityOptions {% ([, always, , , options]) => ({ kind: "identity", always, options }) %}
                      | "generated" notByDefault "as" "(" expr ")" "stored"
                        {% ([, byDefaultAt, , , expression]) => ({ kind: "generated", byDefaultAt, expression }) %}
                      | deferral {% id %}
notByDefault -> "always" {% () => undefined %} | "by" "default" {% (d, at) => at %}
generatedWhen -> "always" {% () => true %} | "by" "default" {% () => false %}
identityOptions -> null {% () => [] %}
                 | "(" sequenceOptionList ")" {% ([, options]) => options %}
nullsDistinct -> null {% () => ({}) %}
               | "nulls" "distinct" {% () => ({}) %}
               | "nulls" "not" "distinct" {% () => ({ nullsNotDistinct: true }) %}
indexTail -> null
           | "with" storage
           | "using" "index" tablespace
           | "with" storage "using" "index" tablespace
noInherit -> null {% () => ({}) %} | "no" "inherit" {% () => ({ noInherit: true }) %}
deferral -> "not" "deferrable" {% (d, at) => ({ kind: "deferral", deferrable: false, at }) %}
          | "deferrable" {% (d, at) => ({ kind: "deferral", deferrable: true, at }) %}
          | "initially" "immediate" {% (d, at) => ({ kind: "deferral", deferred: false, at }) %}
          | "initially" "deferred" {% (d, at) => ({ kind: "deferral", deferred: true, at }) %}

tableConstraint -> tableConstraintBody {% ([body], at) => ({ name: undefined, ...body, at }) %}
                 | "constraint" columnName tableConstraintBody {% ([, name, body], at) => ({ name, ...body, at }) %}
tableConstraintBody -> "primary" "key" "(" columnNames ")" constraintTail {% ([, , , columns, , times]) => ({ kind: "primary-key", columns, ...times }) %}
                     | "unique" nullsDistinct "(" columnNames ")" constraintTail {% ([, nulls, , columns, , tail]) => ({ kind: "unique", columns, ...nulls, ...tail }) %}
                     | "check" "(" expr ")" noInherit validity {% ([, , condition, , noInherit, valid]) => ({ kind: "check", condition, ...noInherit, valid }) %}
                     | "foreign" "key" "(" columnNames ")" "references" qualifiedName columnListOpt referenceActions deferralOpt validity
                       {% ([, , , columns, , , table, referenced, actions, deferral, valid]) =>
                          ({ kind: "foreign-key", columns, table, referenced, ...actions, ...deferralOf(deferral), valid }) %}
                     | "exclude" "using" anyTokens {% () => { throw unsupported("exclusion constraints are", "Use a unique constraint, or a check of the application in its transaction."); } %}
                     | "exclude" "(" anyTokens {% () => { throw unsupported("exclusion constraints are", "Use a unique constraint, or a check of the application in its transaction."); } %}
constraintTail -> includeOpt indexTail deferralOpt {% ([include, , deferral]) => ({ ...include, ...timesOf(deferral) }) %}
deferralOpt -> null {% () => [] %} | deferralOpt deferral {% ([list, one]) => [...list, one] %}
validity -> null {% () => true %} | "not" "valid" {% () => false %}
referenceActions -> null {% () => plainReference %}
                  | referenceActions "match" matchType {% ([actions, , matchFull]) => ({ ...actions, matchFull }) %}
                  | referenceActions "on" "delete" referenceAction {% ([actions, , , onDelete]) => ({ ...actions, onDelete, setColumns: [] }) %}
                  | referenceActions "on" "delete" "set" setTarget "(" columnNames ")"
                    {% ([actions, , , , onDelete, , setColumns]) => ({ ...actions, onDelete, setColumns }) %}
                  | referenceActions "on" "update" referenceAction {% ([actions, , , onUpdate]) => ({ ...actions, onUpdate }) %}
setTarget -> "null" {% () => "set null" %} | "default" {% () => "set default" %}
matchType -> "simple" {% () => false %} | "full" {% () => true %} | "partial" {% () => { throw unsupported("MATCH PARTIAL is", "Use MATCH FULL or MATCH SIMPLE."); } %}
referenceAction -> "no" "action" {% () => "no action" %}
                 | "restrict" {% () => "restrict" %}
                 | "cascade" {% () => "cascade" %}
                 | "set" setTarget {% ([, target]) => target %}

drop -> "drop" dropKind ifExists qualifiedNames cascadeOpt
        {% ([, object, ifExists, names, cascade], at) => ({ kind: "drop", object, names, ifExists, cascade, at }) %}
      | "drop" "index" "concurrently" ifExists qualifiedNames cascadeOpt
        {% ([, , , ifExists, names, cascade], at) => ({ kind: "drop", object: "index", concurrently: true, names, ifExists, cascade, at }) %}
      | "drop" absentKind "if" "exists" absentNames cascadeOpt
        {% ([, tag, , , names], at) => ({ kind: "drop-absent", tag, names, of: undefined, at }) %}
      | "drop" absentPart "if" "exists" columnName "on" qualifiedName cascadeOpt
        {% ([, tag, , , name, , of], at) => ({ kind: "drop-absent", tag, names: [name], of, at }) %}
# What cannot be made is not there.
absentKind -> "materialized" "view" {% () => "MATERIALIZED VIEW" %} | "function" {% () => "FUNCTION" %} | "procedure" {% () => "PROCEDURE" %}
            | "routine" {% () => "ROUTINE" %} | "aggregate" {% () => "AGGREGATE" %} | "publication" {% () => "PUBLICATION" %}
            | "subscription" {% () => "SUBSCRIPTION" %} | "event" "trigger" {% () => "EVENT TRIGGER" %} | "server" {% () => "SERVER" %}
            | "foreign" "table" {% () => "FOREIGN TABLE" %} | "foreign" "data" "wrapper" {% () => "FOREIGN DATA WRAPPER" %}
            | "statistics" {% () => "STATISTICS" %} | "conversion" {% () => "CONVERSION" %}
absentPart -> "trigger" {% () => "TRIGGER" %} | "rule" {% () => "RULE" %} | "policy" {% () => "POLICY" %}
absentNames -> absentName {% first %} | absentNames "," absentName {% more %}
absentName -> qualifiedName {% ([name]) => name.parts.join(".") %} | qualifiedName "(" balanced ")" {% ([name]) => name.parts.join(".") %}
balanced -> null | balanced %bareToken | balanced "(" balanced ")"
dropKind -> "type" {% () => "type" %} | "domain" {% () => "domain" %} | "table" {% () => "table" %} | "index" {% () => "index" %} | "sequence" {% () => "sequence" %}
          | "view" {% () => "view" %} | "schema" {% () => "schema" %}

createIndex -> "create" uniqueOpt "index" concurrently indexName "on" relation methodOpt "(" indexColumns ")" includeOpt nullsDistinct
               indexStorage whereOpt {% createIndex %}
uniqueOpt -> null {% () => false %} | "unique" {% () => true %}
concurrently -> null {% () => false %} | "concurrently" {% () => true %}
indexName -> null {% () => ({ name: undefined, ifNotExists: false }) %}
           | columnName {% ([name]) => ({ name, ifNotExists: false }) %}
           | "if" "not" "exists" columnName {% ([, , , name]) => ({ name, ifNotExists: true }) %}
methodOpt -> null {% () => undefined %} | "using" columnName {% ([, name]) => name %}
indexColumns -> indexColumn {% first %} | indexColumns "," indexColumn {% more %}
indexColumn -> indexKey indexCollation operatorClass direction nullsOrder
               {% ([expression, collation, operatorClass, descending, nulls]) => ({ expression, collation, ...operatorClass, descending, nulls }) %}
indexKey -> columnName {% ([name], at) => ({ kind: "column", name: { parts: [name], at }, at }) %}
          | tableCall {% id %}
          | "(" expr ")" {% ([, e]) => e %}
indexCollation -> null {% () => undefined %} | "collate" qualifiedName {% ([word, name]) => ({ name, at: collateClause(word, name).at }) %}
# Text is ordered by bytes: text_pattern_ops and its kin are what every index does.
operatorClass -> null {% () => ({}) %}
               | qualifiedName {% ([operatorClass]) => ({ operatorClass }) %}
               | qualifiedName "(" storageList ")" {% ([operatorClass]) => ({ operatorClass }) %}
includeOpt -> null {% () => ({}) %} | "include" "(" columnNames ")" {% ([, , include]) => ({ include }) %}
indexStorage -> tablespaceOpt | "with" storage tablespaceOpt

createSequence -> "create" persistence "sequence" ifNotExists qualifiedName sequenceOptions {% createSequence %}
alterSequence -> "alter" "sequence" ifExists qualifiedName sequenceOptionList
                 {% ([, , ifExists, name, options], at) => ({ kind: "alter-sequence", name, ifExists, options, at }) %}
               # Every sequence is.
               | "alter" "sequence" ifExists qualifiedName "set" "logged" {% ([, , ifExists, name], at) => ({ kind: "alter-sequence", name, ifExists, options: [], at }) %}
               | "alter" "sequence" ifExists qualifiedName "set" "unlogged" {% () => { throw unsupported("unlogged sequences are", "Leave UNLOGGED out."); } %}
sequenceOptions -> null {% () => [] %} | sequenceOptionList {% id %}
sequenceOptionList -> sequenceOption {% first %} | sequenceOptionList sequenceOption {% more %}
sequenceOption -> "as" simpleType {% ([, type], at) => option("as", type.name.at(-1), at) %}
                | "increment" byOpt bigNumber {% ([, , n], at) => option("increment", n, at) %}
                | "minvalue" bigNumber {% ([, n], at) => option("minvalue", n, at) %}
                | "maxvalue" bigNumber {% ([, n], at) => option("maxvalue", n, at) %}
                | "no" "minvalue" {% (d, at) => option("minvalue", undefined, at) %}
                | "no" "maxvalue" {% (d, at) => option("maxvalue", undefined, at) %}
                | "start" withOptWord bigNumber {% ([, , n], at) => option("start", n, at) %}
                | "cache" bigNumber {% ([, n], at) => option("cache", n, at) %}
                | "cycle" {% (d, at) => option("cycle", true, at) %}
                | "no" "cycle" {% (d, at) => option("cycle", false, at) %}
                | "sequence" "name" qualifiedName {% ([, , name], at) => option("sequence_name", name.parts, at) %}
                | "owned" "by" qualifiedName {% ([, , name], at) => option("owned_by", name.parts, at) %}
                | "restart" {% (d, at) => option("restart", undefined, at) %}
                | "restart" withOptWord bigNumber {% ([, , n], at) => option("restart", n, at) %}
byOpt -> null | "by"
withOptWord -> null | "with"
# As text: bigger than a JavaScript number holds.
bigNumber -> %integer {% ([token]) => token.value %} | "-" %integer {% ([, token]) => "-" + token.value %} | "+" %integer {% ([, token]) => token.value %}

createSchema -> "create" "schema" ifNotExists columnName schemaElements
                {% ([, , ifNotExists, name, elements], at) => schemaNode(name, ifNotExists, undefined, elements, at) %}
              | "create" "schema" ifNotExists columnName "authorization" roleReference schemaElements
                {% ([, , ifNotExists, name, , owner, elements], at) => schemaNode(name, ifNotExists, owner, elements, at) %}
              | "create" "schema" ifNotExists "authorization" roleReference schemaElements
                {% ([, , ifNotExists, , owner, elements], at) => schemaNode(undefined, ifNotExists, owner, elements, at) %}
schemaElements -> null {% () => [] %} | schemaElements schemaElement {% more %}
schemaElement -> definedTable {% id %} | createIndex {% id %} | createSequence {% id %} | createView {% id %}
               | grantOn {% id %}
               | "create" "trigger" anyTokens {% () => { throw unsupported("CREATE TRIGGER is", "Use DEFAULT, generated columns, constraints and foreign keys."); } %}
               | "create" "constraint" "trigger" anyTokens {% () => { throw unsupported("CREATE TRIGGER is", "Use DEFAULT, generated columns, constraints and foreign keys."); } %}

createType -> "create" "type" qualifiedName "as" "enum" "(" enumLabels ")"
              {% ([, , name, , , , labels], at) => ({ kind: "create-enum", name, labels, at }) %}
            | "create" "type" qualifiedName "as" "(" attributes ")"
              {% ([, , name, , , attributes], at) => ({ kind: "create-composite", name, attributes, at }) %}
            | "create" "type" qualifiedName "as" "range" anyTokens {% () => { throw unsupported("range types are", "Use two columns."); } %}
            | "create" "type" qualifiedName "(" anyTokens {% () => { throw unsupported("base types are", "Use a composite type, an enum or a domain."); } %}
            | "create" "type" qualifiedName {% () => { throw unsupported("shell types are", "Use a composite type, an enum or a domain."); } %}
            | "alter" "type" qualifiedName "add" "value" ifNotExists %string enumPlace
              {% ([, , name, , , ifNotExists, label, place], at) => ({ kind: "alter-enum", name, label: label.value, ifNotExists, place, to: undefined, at }) %}
            | "alter" "type" qualifiedName "rename" "value" %string "to" %string
              {% ([, , name, , , label, , to], at) => ({ kind: "alter-enum", name, label: label.value, ifNotExists: false, place: undefined, to: to.value, at }) %}
            | "alter" "type" qualifiedName "rename" "attribute" columnName "to" columnName cascadeOpt
              {% ([, , name, , , from, , to], at) => ({ kind: "alter-composite", name, actions: [{ kind: "rename", from, to }], at }) %}
            | "alter" "type" qualifiedName attributeActions
              {% ([, , name, actions], at) => ({ kind: "alter-composite", name, actions, at }) %}
            | "alter" "type" qualifiedName "set" "(" anyTokens {% () => { throw unsupported("base types are", "Use a composite type, an enum or a domain."); } %}
createDomain -> "create" "domain" qualifiedName asOpt typeName columnCollation columnConstraints
                {% ([, , name, , type, collation, constraints], at) => createDomain(name, type, collation, constraints, at) %}
              | "alter" "domain" qualifiedName domainAction {% ([, , name, action], at) => ({ kind: "alter-domain", name, action, at }) %}
domainAction -> "set" "default" expr {% ([, , value]) => ({ kind: "set-default", value }) %}
              | "drop" "default" {% () => ({ kind: "set-default", value: undefined }) %}
              | "set" "not" "null" {% () => ({ kind: "set-not-null", notNull: true }) %}
              | "drop" "not" "null" {% () => ({ kind: "set-not-null", notNull: false }) %}
              | "add" columnConstraint validity {% ([, constraint, valid]) => ({ kind: "add-constraint", constraint: undeferred([constraint])[0], valid }) %}
              | "drop" "constraint" ifExists columnName cascadeOpt {% ([, , ifExists, name]) => ({ kind: "drop-constraint", ifExists, name }) %}
              | "validate" "constraint" columnName {% ([, , name]) => ({ kind: "validate-constraint", name }) %}
              | "rename" "constraint" columnName "to" columnName {% ([, , from, , to]) => ({ kind: "rename-constraint", from, to }) %}
attributes -> null {% () => [] %} | attributeList {% id %}
attributeList -> attribute {% first %} | attributeList "," attribute {% more %}
attribute -> columnName typeName columnCollation {% ([name, type, collation], at) => ({ name, type: collated(type, collation), at }) %}
attributeActions -> attributeAction {% first %} | attributeActions "," attributeAction {% more %}
attributeAction -> "add" "attribute" attribute cascadeOpt {% ([, , attribute]) => ({ kind: "add", attribute }) %}
                 | "drop" "attribute" ifExists columnName cascadeOpt {% ([, , ifExists, name, cascade]) => ({ kind: "drop", ifExists, name, cascade }) %}
                 | "alter" "attribute" columnName setDataOpt "type" typeName columnCollation cascadeOpt
                   {% ([, , name, , , type, collation]) => ({ kind: "alter", name, type: collated(type, collation) }) %}
setDataOpt -> null | "set" "data"
enumLabels -> null {% () => [] %} | enumLabelList {% id %}
enumLabelList -> enumLabel {% first %} | enumLabelList "," enumLabel {% more %}
enumLabel -> %string {% ([token]) => token.value %}
enumPlace -> null {% () => undefined %}
           | "before" %string {% ([, token]) => ({ before: true, neighbour: token.value }) %}
           | "after" %string {% ([, token]) => ({ before: false, neighbour: token.value }) %}

createView -> "create" persistence "view" qualifiedName columnListOpt viewOptions "as" viewQuery viewCheck
              {% ([, temporary, , name, columns, options, , { query, at: queryAt }, check], at) => ({ kind: "create-view", replace: false, temporary, name, columns, options, query, queryAt, check, at }) %}
            | "create" "or" "replace" persistence "view" qualifiedName columnListOpt viewOptions "as" viewQuery viewCheck
              {% ([, , , temporary, , name, columns, options, , { query, at: queryAt }, check], at) => ({ kind: "create-view", replace: true, temporary, name, columns, options, query, queryAt, check, at }) %}
            | "create" persistence recursiveView {% ([, temporary, view], at) => ({ kind: "create-view", replace: false, temporary, ...view, at }) %}
            | "create" "or" "replace" persistence recursiveView {% ([, , , temporary, view], at) => ({ kind: "create-view", replace: true, temporary, ...view, at }) %}
recursiveView -> "recursive" "view" qualifiedName "(" columnNames ")" viewOptions "as" viewQuery viewCheck {% recursiveView %}
viewOptions -> null {% () => [] %} | "with" storage {% ([, options]) => options %}
viewQuery -> query {% ([query], at) => ({ query, at }) %}
viewCheck -> null {% () => undefined %} | "with" checkScope "check" "option" {% ([, scope], at) => ({ scope, at }) %}
checkScope -> null {% () => "cascaded" %} | "cascaded" {% () => "cascaded" %} | "local" {% () => "local" %}
alterView -> "alter" "view" ifExists qualifiedName "set" storage {% ([, , ifExists, name, , options], at) => ({ kind: "alter-view", name, ifExists, options, reset: false, at }) %}
           | "alter" "view" ifExists qualifiedName "reset" storage {% ([, , ifExists, name, , options], at) => ({ kind: "alter-view", name, ifExists, options, reset: true, at }) %}
           | "alter" "view" ifExists qualifiedName "alter" columnWord columnName viewDefault {% () => { throw unsupported("defaults of views are", "Set the default of the column of the table."); } %}
viewDefault -> "set" "default" expr | "drop" "default"

alterName -> "alter" "view" ifExists qualifiedName "rename" columnWord columnName "to" columnName
             {% ([, , ifExists, name, , , column, , to], at) => ({ kind: "alter-name", object: "view", name, ifExists, to: { column, name: to }, at }) %}
           | "alter" renamedWord ifExists qualifiedName "rename" "to" columnName
             {% ([, object, ifExists, name, , , to], at) => ({ kind: "alter-name", object, name, ifExists, to: { name: to }, at }) %}
           | "alter" movedWord ifExists qualifiedName "set" "schema" columnName
             {% ([, object, ifExists, name, , , schema], at) => ({ kind: "alter-name", object, name, ifExists, to: { schema }, at }) %}
           | "alter" "table" ifExists relation "rename" "to" columnName
             {% ([, , ifExists, name, , , to], at) => ({ kind: "alter-name", object: "table", name, ifExists, to: { name: to }, at }) %}
           | "alter" "table" ifExists relation "set" "schema" columnName
             {% ([, , ifExists, name, , , schema], at) => ({ kind: "alter-name", object: "table", name, ifExists, to: { schema }, at }) %}
           | "alter" "schema" columnName "rename" "to" columnName
             {% ([, , name, , , to], at) => ({ kind: "alter-name", object: "schema", name: { parts: [name], at }, ifExists: false, to: { name: to }, at }) %}
           | "alter" madeWord qualifiedName "rename" "to" columnName
             {% ([, object, name, , , to], at) => ({ kind: "alter-name", object, name, ifExists: false, to: { name: to }, at }) %}
           | "alter" madeWord qualifiedName "set" "schema" columnName
             {% ([, object, name, , , schema], at) => ({ kind: "alter-name", object, name, ifExists: false, to: { schema }, at }) %}
madeWord -> "type" {% () => "type" %} | "domain" {% () => "domain" %}
renamedWord -> "index" {% () => "index" %} | movedWord {% id %}
movedWord -> "sequence" {% () => "sequence" %} | "view" {% () => "view" %}

alterTable -> "alter" "table" ifExists relation actions {% ([, , ifExists, name, actions], at) => ({ kind: "alter-table", name, ifExists, actions, at }) %}
            | "alter" "table" ifExists relation soleAction {% ([, , ifExists, name, action], at) => ({ kind: "alter-table", name, ifExists, actions: [action], at }) %}
            | "alter" "table" ifExists relation actions "," "owner" anyTokens {% () => { throw amongActions(); } %}
            | "alter" "table" ifExists relation "owner" "to" roleReference "," anyTokens {% () => { throw amongActions(); } %}
            | "alter" "table" "all" "in" "tablespace" anyTokens {% () => { throw unsupported("tablespaces are", "Leave it out: ALTER TABLE ... CONFIGURE says where rows are."); } %}
actions -> action {% first %} | actions "," action {% more %}
soleAction -> "rename" columnWord columnName "to" columnName {% ([, , from, , to], at) => ({ kind: "rename-column", from, to, at }) %}
            | "rename" "constraint" columnName "to" columnName {% ([, , from, , to]) => ({ kind: "rename-constraint", from, to }) %}
            | "split" "at" "values" rowList {% ([, , , rows]) => ({ kind: "split-at", rows }) %}
            | "merge" "at" "values" rowList {% ([, , , rows]) => ({ kind: "merge-at", rows }) %}
            | "attach" anyTokens {% () => { throw unsupported("partitioned tables are", "Quorate splits tables by itself."); } %}
            | "detach" anyTokens {% () => { throw unsupported("partitioned tables are", "Quorate splits tables by itself."); } %}
            | "disable" "trigger" "all"
              {% () => { throw unsupported("ALTER TABLE ... DISABLE TRIGGER ALL is", "Foreign keys are always kept. SET CONSTRAINTS puts off when those are looked at that are deferrable."); } %}
            | "alter" columnWord columnName "options" anyTokens {% () => { throw unsupported("ALTER TABLE ... OPTIONS is", "There are no foreign tables."); } %}
            | "set" "unlogged" {% () => { throw unsupported("ALTER TABLE ... SET UNLOGGED is", "What is not to last can be in a temporary table."); } %}
            | "set" "tablespace" anyTokens {% () => { throw unsupported("ALTER TABLE ... SET TABLESPACE is", "ALTER TABLE ... CONFIGURE says where rows are."); } %}
            | "set" "access" anyTokens {% () => { throw unsupported("ALTER TABLE ... SET ACCESS METHOD is", "There is one way to keep rows."); } %}
            | otherAlter anyTokensOpt {% ([word]) => { throw unsupported("ALTER TABLE ... " + word + " is", "There are no triggers, rules, policies, partitions and parents of tables."); } %}
columnWord -> null | "column"
typeUsing -> null {% () => undefined %} | "using" expr {% ([, value]) => value %}
keyUsing -> keyUsingBody {% ([body], at) => ({ kind: "add-key-using", name: undefined, ...body, at }) %}
          | "constraint" columnName keyUsingBody {% ([, name, body], at) => ({ kind: "add-key-using", name, ...body, at }) %}
keyUsingBody -> "primary" "key" "using" "index" columnName deferralOpt {% ([, , , , index, times]) => ({ primaryKey: true, index, ...timesOf(times) }) %}
              | "unique" "using" "index" columnName deferralOpt {% ([, , , index, times]) => ({ primaryKey: false, index, ...timesOf(times) }) %}

action -> "add" columnWord column {% ([, , column]) => ({ kind: "add-column", ifNotExists: false, column }) %}
        | "add" columnWord "if" "not" "exists" column {% ([, , , , , column]) => ({ kind: "add-column", ifNotExists: true, column }) %}
        | "add" tableConstraint {% ([, constraint]) => ({ kind: "add-constraint", constraint }) %}
        | "add" keyUsing {% ([, action]) => action %}
        | "drop" columnWord ifExists columnName cascadeOpt
          {% ([, , ifExists, name, cascade], at) => ({ kind: "drop-column", ifExists, name, cascade, at }) %}
        | "drop" "constraint" ifExists columnName cascadeOpt
          {% ([, , ifExists, name, cascade], at) => ({ kind: "drop-constraint", ifExists, name, cascade, at }) %}
        | "alter" "constraint" columnName deferralOpt
          {% ([, , name, deferral]) => ({ kind: "alter-constraint", name, ...deferralOf(deferral) }) %}
        | "alter" columnWord columnName "set" "default" expr {% ([, , column, , , value], at) => ({ kind: "set-default", column, value, at }) %}
        | "alter" columnWord columnName "drop" "default" {% ([, , column], at) => ({ kind: "set-default", column, value: undefined, at }) %}
        | "alter" columnWord columnName "set" "not" "null" {% ([, , column], at) => ({ kind: "set-not-null", column, notNull: true, at }) %}
        | "alter" columnWord columnName "drop" "not" "null" {% ([, , column], at) => ({ kind: "set-not-null", column, notNull: false, at }) %}
        | "alter" columnWord columnName setData "type" typeName columnCollation typeUsing
          {% ([, , column, , , type, collation, using], at) => ({ kind: "alter-type", column, type: collated(type, collation), using, at }) %}
        | "alter" columnWord columnName "add" "generated" generatedWhen "as" "identity" identityOptions
          {% ([, , column, , , always, , , options], at) => ({ kind: "add-identity", column, always, options, at }) %}
        | "alter" columnWord columnName identityChanges
          {% ([, , column, changes], at) => ({ kind: "set-identity", column, changes, at }) %}
        | "alter" columnWord columnName "drop" "identity" ifExists
          {% ([, , column, , , ifExists], at) => ({ kind: "drop-identity", column, ifExists, at }) %}
        | "validate" "constraint" columnName {% ([, , name]) => ({ kind: "validate-constraint", name }) %}
        | "alter" columnWord columnName "drop" "expression" ifExists
          {% ([, , column, , , ifExists], at) => ({ kind: "drop-expression", column, ifExists, at }) %}
        | "alter" columnWord columnName columnHint {% ([, , column], at) => ({ kind: "hint", column, at }) %}
        | "cluster" "on" columnName {% ([, , index], at) => ({ kind: "hint", column: undefined, index, at }) %}
        | tableHint {% (d, at) => ({ kind: "hint", column: undefined, at }) %}
# How rows are stored elsewhere, and what is so anyway: it is taken as CREATE TABLE takes it, and changes nothing.
columnHint -> "set" "statistics" signedInteger | "set" "storage" columnName | "set" "compression" columnName | "set" "compression" "default"
            | "set" storage | "reset" storage
tableHint -> "set" storage | "reset" storage | "set" "logged" | "set" "without" "cluster" | "set" "without" "oids"
           | "disable" "trigger" "user" | "enable" "trigger" "user" | "enable" "trigger" "all"
           | "disable" "row" "level" "security" | "no" "force" "row" "level" "security"
identityChanges -> identityChange {% first %} | identityChanges identityChange {% more %}
identityChange -> "set" "generated" generatedWhen {% ([, , always], at) => option("always", always, at) %}
                | "set" sequenceOption {% ([, one]) => one %}
                | "restart" {% (d, at) => option("restart", undefined, at) %}
                | "restart" withOptWord bigNumber {% ([, , n], at) => option("restart", n, at) %}
otherAlter -> "enable" enabledWord {% ([, word]) => "ENABLE " + word %} | "disable" disabledWord {% ([, word]) => "DISABLE " + word %}
            | "enable" "trigger" columnName {% () => "ENABLE TRIGGER" %} | "disable" "trigger" columnName {% () => "DISABLE TRIGGER" %}
            | "inherit" {% () => "INHERIT" %}
            | "no" "inherit" {% () => "NO INHERIT" %} | "force" {% () => "FORCE" %} | "replica" {% () => "REPLICA IDENTITY" %} | "of" {% () => "OF" %}
            | "not" "of" {% () => "NOT OF" %} | "options" {% () => "OPTIONS" %}
enabledWord -> "row" {% () => "ROW LEVEL SECURITY" %} | "rule" {% () => "RULE" %} | "replica" {% () => "REPLICA" %} | "always" {% () => "ALWAYS" %}
disabledWord -> "rule" {% () => "RULE" %}
setData -> null | "set" "data"
anyTokensOpt -> null | anyTokens
anyTokens -> %anyToken {% first %} | anyTokens %anyToken {% more %}
