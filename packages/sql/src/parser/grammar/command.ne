# Transactions, settings, prepared statements, EXPLAIN, notifications, maintenance.

transaction -> "begin" workOpt modes {% ([, , modes], at) => ({ kind: "begin", tag: "BEGIN", modes, at }) %}
             | "start" "transaction" modes {% ([, , modes], at) => ({ kind: "begin", tag: "START TRANSACTION", modes, at }) %}
             | commitWord workOpt chain {% ([, , chain], at) => ({ kind: "commit", ...chain, at }) %}
             | rollbackWord workOpt chain {% ([, , chain], at) => ({ kind: "rollback", ...chain, at }) %}
             | "savepoint" columnName {% ([, name], at) => ({ kind: "savepoint", name, at }) %}
             | "release" columnName {% ([, name], at) => ({ kind: "release", name, at }) %}
             | "release" "savepoint" columnName {% ([, , name], at) => ({ kind: "release", name, at }) %}
             | "rollback" workOpt "to" columnName {% ([, , , name], at) => ({ kind: "rollback-to", name, at }) %}
             | "rollback" workOpt "to" "savepoint" columnName {% ([, , , , name], at) => ({ kind: "rollback-to", name, at }) %}
workOpt -> null | "work" | "transaction"
commitWord -> "commit" | "end"
rollbackWord -> "rollback" | "abort"
chain -> null {% () => ({}) %}
       | "and" "no" "chain" {% () => ({}) %}
       | "and" "chain" {% () => ({ chain: true }) %}
modes -> null {% () => modesNode([]) %} | modeList {% ([list]) => modesNode(list) %}
someModes -> modeList {% ([list]) => modesNode(list) %}
modeList -> mode {% first %} | modeList mode {% more %} | modeList "," mode {% more %}
mode -> "isolation" "level" isolation {% ([, , isolation]) => ({ isolation }) %}
      | "read" "only" {% () => ({ readOnly: true }) %}
      | "read" "write" {% () => ({ readOnly: false }) %}
      | "deferrable" {% () => ({ deferrable: true }) %}
      | "not" "deferrable" {% () => ({ deferrable: false }) %}
      | asOf {% ([asOf]) => ({ asOf }) %}
isolation -> "serializable" {% () => "serializable" %}
           | "repeatable" "read" {% () => "repeatable read" %}
           | "read" "committed" {% () => "read committed" %}
           | "read" "uncommitted" {% () => "read uncommitted" %}

set -> "set" setRest {% ([, set], at) => ({ ...set, at }) %}
     | "set" "session" setRest {% ([, , set], at) => ({ ...set, at }) %}
     | "set" "local" setRest {% ([, , set], at) => ({ ...set, scope: "local", at }) %}
     | "set" fromCurrent {% ([, refused]) => refused %}
     | "set" "session" fromCurrent {% ([, , refused]) => refused %}
     | "set" "local" fromCurrent {% ([, , refused]) => refused %}
     | "set" "transaction" someModes {% ([, , modes], at) => ({ kind: "set-transaction", session: false, modes, at }) %}
     | "set" "local" "transaction" someModes {% ([, , , modes], at) => ({ kind: "set-transaction", session: false, modes, at }) %}
     | "set" "session" "transaction" someModes {% ([, , , modes], at) => ({ kind: "set-transaction", session: false, modes, at }) %}
     | "set" "session" "characteristics" "as" "transaction" someModes
       {% ([, , , , , modes], at) => ({ kind: "set-transaction", session: true, modes, at }) %}
     | "set" "transaction" "snapshot" %string
       {% ([, , , { value }], at) => ({ kind: "set-transaction", session: false, modes: modesNode([{ snapshot: value }]), at }) %}
     | "set" "session" "transaction" "snapshot" %string
       {% ([, , , , { value }], at) => ({ kind: "set-transaction", session: false, modes: modesNode([{ snapshot: value }]), at }) %}
     | "set" "local" "transaction" "snapshot" %string
       {% ([, , , , { value }], at) => ({ kind: "set-transaction", session: false, modes: modesNode([{ snapshot: value, isLocal: true }]), at }) %}
     | "set" "constraints" "all" constraintTime {% ([, , , deferred], at) => ({ kind: "set-constraints", names: [], deferred, at }) %}
     | "set" "constraints" qualifiedNames constraintTime {% ([, , names, deferred], at) => ({ kind: "set-constraints", names, deferred, at }) %}
constraintTime -> "deferred" {% () => true %} | "immediate" {% () => false %}
set -> "alter" "system" "set" settingName toOrEquals settingValues {% ([, , , name, , value], at) => ({ kind: "alter-system", name, value, at }) %}
     | "alter" "system" "set" settingName toOrEquals "default" {% ([, , , name], at) => ({ kind: "alter-system", name, value: undefined, at }) %}
     | "alter" "system" "reset" settingName {% ([, , , name], at) => ({ kind: "alter-system", name, value: undefined, at }) %}
     | "alter" "system" "reset" "all" {% (d, at) => ({ kind: "alter-system", name: undefined, value: undefined, at }) %}
setRest -> settingName toOrEquals settingValues {% ([name, , value]) => settingNode(name, value) %}
         | settingName toOrEquals "default" {% ([name]) => settingNode(name, undefined) %}
         | "time" "zone" zoneValue {% ([, , value]) => settingNode("timezone", value) %}
         | "schema" %string {% ([, token]) => settingNode("search_path", [token.value]) %}
         | "names" {% () => settingNode("client_encoding", undefined) %}
         | "names" "default" {% () => settingNode("client_encoding", undefined) %}
         | "names" %string {% ([, token]) => settingNode("client_encoding", [token.value]) %}
         | "xml" "option" xmlOption {% ([, , value]) => settingNode("xmloption", [value]) %}
         | "catalog" %string {% () => { throw unsupported("SET CATALOG is", "Connect to the other database."); } %}
         | "role" wordOrString {% ([, name]) => settingNode("role", [name]) %}
         | "session" "authorization" wordOrString {% ([, , name]) => settingNode("session_authorization", [name]) %}
         | "session" "authorization" "default" {% () => settingNode("session_authorization", undefined) %}
xmlOption -> "document" {% () => "document" %} | "content" {% () => "content" %}
fromCurrent -> settingName "from" "current" {% () => { throw unsupported("SET ... FROM CURRENT is", "Name the value."); } %}
toOrEquals -> "to" | "="
settingName -> dotted {% ([parts]) => parts.join(".") %}
settingValues -> settingValue {% first %} | settingValues "," settingValue {% more %}
settingValue -> "true" {% () => "true" %}
              | "false" {% () => "false" %}
              | "on" {% () => "on" %}
              | wordOrString {% id %}
              | settingNumber {% id %}
settingNumber -> %integer {% ([token]) => token.value %}
               | %decimal {% ([token]) => token.value %}
               | "-" %integer {% ([, token]) => "-" + token.value %}
               | "-" %decimal {% ([, token]) => "-" + token.value %}
               | "+" %integer {% ([, token]) => token.value %}
               | "+" %decimal {% ([, token]) => token.value %}
wordOrString -> %plainWord {% ([token]) => token.value %} | %string {% ([token]) => token.value %}
zoneValue -> "default" {% () => undefined %}
           | "local" {% () => undefined %}
           | %string {% ([token]) => [token.value] %}
           | %zoneWord {% ([token]) => [token.value] %}
           | settingNumber {% ([number]) => [number] %}
           | "interval" %string zoneFields {% ([, token, fields]) => [intervalZone(token.value, fields)] %}
           | "interval" "(" %integer ")" %string {% ([, , , , token]) => [intervalZone(token.value, undefined)] %}
zoneFields -> null {% () => undefined %} | intervalFields {% ([fields], at) => ({ ...fields, at }) %}

reset -> "reset" settingName {% ([, name], at) => ({ kind: "reset", name, at }) %}
       | "reset" "all" {% (d, at) => ({ kind: "reset", name: undefined, at }) %}
       | "reset" "time" "zone" {% (d, at) => ({ kind: "reset", name: "timezone", at }) %}
       | "reset" "transaction" "isolation" "level" {% (d, at) => ({ kind: "reset", name: "transaction_isolation", at }) %}
       | "reset" "session" "authorization" {% (d, at) => ({ kind: "reset", name: "session_authorization", at }) %}
show -> "show" settingName {% ([, name], at) => ({ kind: "show", name, at }) %}
      | "show" "all" {% (d, at) => ({ kind: "show", name: "all", at }) %}
      | "show" "time" "zone" {% (d, at) => ({ kind: "show", name: "timezone", at }) %}
      | "show" "transaction" "isolation" "level" {% (d, at) => ({ kind: "show", name: "transaction_isolation", at }) %}
      | "show" "session" "authorization" {% (d, at) => ({ kind: "show", name: "session_authorization", at }) %}
      | "show" "ranges" "from" "table" relation {% ([, , , , table], at) => ({ kind: "show-ranges", table, at }) %}
      | "show" "backup" %string {% ([, , directory], at) => ({ kind: "show-backup", directory: directory.value, at }) %}

explainable -> query {% id %} | changeStatement {% id %} | createTable {% id %} | execute {% id %}
             | "declare" columnName cursorOptions "cursor" holdOpt "for" query {% ([, , , , , , query]) => query %}
             | "create" "materialized" "view" anyTokens {% () => { throw unsupported("CREATE MATERIALIZED VIEW is", "Use a table that CREATE TABLE AS fills."); } %}
             | "refresh" "materialized" "view" anyTokens {% () => { throw unsupported("REFRESH MATERIALIZED VIEW is", "Use a table that INSERT ... SELECT fills."); } %}
explain -> "explain" explainable {% ([, statement], at) => ({ kind: "explain", options: [], statement, at }) %}
         | "explain" "verbose" explainable {% ([, word, statement], at) => explainNode([word], statement, at) %}
         | "explain" analyzeWord explainable {% ([, word, statement], at) => explainNode([word], statement, at) %}
         | "explain" analyzeWord "verbose" explainable {% ([, word, verbose, statement], at) => explainNode([word, verbose], statement, at) %}
         | "explain" "(" explainOptions ")" explainable {% ([, , options, , statement], at) => ({ kind: "explain", options, statement, at }) %}
analyzeWord -> "analyze" {% id %} | "analyse" {% id %}
explainOptions -> explainOption {% first %} | explainOptions "," explainOption {% more %}
explainOption -> explainOptionName optionValueOpt {% ([name, value], at) => option(name, value, at) %}
explainOptionName -> %plainWord {% ([token]) => token.value %} | analyzeWord {% () => "analyze" %}

prepare -> "prepare" columnName prepareTypes "as" preparable {% ([, name, types, , statement], at) => ({ kind: "prepare", name, types, statement, at }) %}
         | "prepare" "transaction" %string {% () => { throw unsupported("PREPARE TRANSACTION is", "A transaction over several ranges is atomic anyway; there are none over several clusters."); } %}
preparable -> query {% id %} | changeStatement {% id %}
prepareTypes -> null {% () => [] %} | "(" typeList ")" {% ([, types]) => types %}
typeList -> typeName {% first %} | typeList "," typeName {% more %}
execute -> "execute" columnName {% ([, name], at) => ({ kind: "execute", name, args: [], at }) %}
         | "execute" columnName "(" exprList ")" {% ([, name, , args], at) => ({ kind: "execute", name, args: flat(args), at }) %}
deallocate -> "deallocate" prepareWord columnName {% ([, , name], at) => ({ kind: "deallocate", name, at }) %}
            | "deallocate" prepareWord "all" {% (d, at) => ({ kind: "deallocate", name: undefined, at }) %}
prepareWord -> null | "prepare"
discard -> "discard" discardWhat {% ([, what], at) => ({ kind: "discard", what, at }) %}
discardWhat -> "all" {% () => "all" %} | "plans" {% () => "plans" %} | "sequences" {% () => "sequences" %} | "temp" {% () => "temp" %}
             | "temporary" {% () => "temp" %}

notification -> "listen" columnName {% ([, channel], at) => ({ kind: "listen", channel, at }) %}
              | "unlisten" columnName {% ([, channel], at) => ({ kind: "unlisten", channel, at }) %}
              | "unlisten" "*" {% (d, at) => ({ kind: "unlisten", channel: undefined, at }) %}
              | "notify" columnName {% ([, channel], at) => ({ kind: "notify", channel, payload: "", at }) %}
              | "notify" columnName "," %string {% ([, channel, , token], at) => ({ kind: "notify", channel, payload: token.value, at }) %}

cancelJob -> "cancel" "job" %integer {% ([, , id], at) => ({ kind: "cancel-job", id: Number(id.value), at }) %}

maintenance -> "vacuum" vacuumWord maintained {% ([, , tables], at) => ({ kind: "maintenance", tag: "VACUUM", tables, at }) %}
             | "vacuum" vacuumWord analyzeWord verboseOpt maintained {% ([, , , , tables], at) => ({ kind: "maintenance", tag: "VACUUM", tables, at }) %}
             | "vacuum" "(" explainOptions ")" maintained {% ([, , , , tables], at) => ({ kind: "maintenance", tag: "VACUUM", tables, at }) %}
             | analyzeWord verboseOpt maintained {% ([, , tables], at) => ({ kind: "maintenance", tag: "ANALYZE", tables, at }) %}
             | analyzeWord "(" explainOptions ")" maintained {% ([, , , , tables], at) => ({ kind: "maintenance", tag: "ANALYZE", tables, at }) %}
             | "checkpoint" {% (d, at) => ({ kind: "maintenance", tag: "CHECKPOINT", tables: [], at }) %}
vacuumWord -> null | "full" | "freeze" | "verbose" | "full" "freeze" | "full" "verbose" | "freeze" "verbose" | "full" "freeze" "verbose"
verboseOpt -> null | "verbose"
maintained -> null {% () => [] %} | maintainedList {% id %}
maintainedList -> maintainedTable {% first %} | maintainedList "," maintainedTable {% more %}
maintainedTable -> relation columnListOpt {% ([name]) => name %}

lockTable -> "lock" tableOpt tablesToLock lockMode nowaitOpt {% ([, , tables, mode], at) => ({ kind: "lock", tables, mode, at }) %}
tableOpt -> null | "table"
tablesToLock -> relation {% first %} | tablesToLock "," relation {% more %}
lockMode -> null {% () => "ACCESS EXCLUSIVE" %} | "in" lockModeName "mode" {% ([, name]) => name %}
lockModeName -> "access" "share" {% () => "ACCESS SHARE" %}
              | "row" "share" {% () => "ROW SHARE" %}
              | "row" "exclusive" {% () => "ROW EXCLUSIVE" %}
              | "share" "update" "exclusive" {% () => "SHARE UPDATE EXCLUSIVE" %}
              | "share" {% () => "SHARE" %}
              | "share" "row" "exclusive" {% () => "SHARE ROW EXCLUSIVE" %}
              | "exclusive" {% () => "EXCLUSIVE" %}
              | "access" "exclusive" {% () => "ACCESS EXCLUSIVE" %}
nowaitOpt -> null | "nowait"

comment -> "comment" "on" commentKind qualifiedName "is" commentText
           {% ([, , object, name, , text], at) => ({ kind: "comment", object, name, table: undefined, text, at }) %}
         | "comment" "on" "constraint" qualifiedName "on" qualifiedName "is" commentText
           {% ([, , , name, , table, , text], at) => ({ kind: "comment", object: "constraint", name, table, text, at }) %}
         | "comment" "on" commentNamed columnName "is" commentText
           {% ([, , object, name, , text], at) => ({ kind: "comment", object, name: { parts: [name], at }, table: undefined, text, at }) %}
         | "comment" "on" "constraint" columnName "on" "domain" qualifiedName "is" commentText
           {% () => { throw unsupported("COMMENT ON CONSTRAINT of a domain is", "Comment on the domain."); } %}
         | "comment" "on" uncommented anyTokens {% ([, , what]) => { throw uncommentable(what); } %}
commentKind -> "table" {% () => "table" %} | "column" {% () => "column" %} | "index" {% () => "index" %} | "sequence" {% () => "sequence" %}
             | "schema" {% () => "schema" %} | "view" {% () => "view" %} | "type" {% () => "type" %} | "domain" {% () => "domain" %}
commentNamed -> "database" {% () => "database" %} | "role" {% () => "role" %} | "extension" {% () => "extension" %}
commentText -> %string {% ([token]) => token.value %} | "null" {% () => undefined %}
uncommented -> uncommentedWord {% ([[token]]) => token.value %}
uncommentedWord -> "access" | "aggregate" | "cast" | "collation" | "conversion" | "event" | "foreign"
                 | "function" | "language" | "large" | "materialized" | "operator" | "policy" | "procedural" | "procedure" | "publication"
                 | "routine" | "rule" | "server" | "statistics" | "subscription" | "tablespace" | "text" | "transform"
                 | "trigger"

cursor -> "declare" columnName cursorOptions "cursor" holdOpt "for" query {% declareNode %}
        | "fetch" fetched {% ([, fetched], at) => ({ kind: "fetch", ...fetched, move: false, at }) %}
        | "move" fetched {% ([, fetched], at) => ({ kind: "fetch", ...fetched, move: true, at }) %}
        | "close" columnName {% ([, name], at) => ({ kind: "close", name, at }) %}
        | "close" "all" {% (d, at) => ({ kind: "close", name: undefined, at }) %}
cursorOptions -> null {% () => [] %} | cursorOptionList {% id %}
cursorOptionList -> cursorOption {% first %} | cursorOptionList cursorOption {% more %}
cursorOption -> "no" "scroll" {% () => "no scroll" %}
              | "scroll" {% () => "scroll" %}
              | "insensitive" {% () => "insensitive" %}
              | "asensitive" {% () => "asensitive" %}
              | "binary" {% () => "binary" %}
holdOpt -> null {% () => false %} | "with" "hold" {% () => true %} | "without" "hold" {% () => false %}
fetched -> columnName {% ([name]) => fetchNode(name, "forward", 1) %}
         | fromIn columnName {% ([, name]) => fetchNode(name, "forward", 1) %}
         | fetchWay fromInOpt columnName {% ([direction, , name]) => ({ name, direction }) %}
fetchWay -> "next" {% () => way("forward", 1) %}
          | "prior" {% () => way("backward", 1) %}
          | "first" {% () => way("absolute", 1) %}
          | "last" {% () => way("absolute", -1) %}
          | "absolute" bigNumber {% ([, n]) => way("absolute", n) %}
          | "relative" bigNumber {% ([, n]) => way("relative", n) %}
          | bigNumber {% ([n]) => way("forward", n) %}
          | "all" {% () => way("forward", "all") %}
          | "forward" {% () => way("forward", 1) %}
          | "forward" bigNumber {% ([, n]) => way("forward", n) %}
          | "forward" "all" {% () => way("forward", "all") %}
          | "backward" {% () => way("backward", 1) %}
          | "backward" bigNumber {% ([, n]) => way("backward", n) %}
          | "backward" "all" {% () => way("backward", "all") %}
fromIn -> "from" | "in"
fromInOpt -> null | fromIn

backup -> "backup" "database" columnName "to" %string incremental asOfOpt {% ([, , database, , directory, incremental, asOf], at) => ({ kind: "backup", database, directory: directory.value, incremental, asOf, at }) %}
        | "restore" "database" columnName "from" %string asOfOpt {% ([, , database, , directory, asOf], at) => ({ kind: "restore", database, table: undefined, directory: directory.value, asOf, at }) %}
        | "restore" "table" qualifiedName "from" %string asOfOpt {% ([, , table, , directory, asOf], at) => ({ kind: "restore", database: undefined, table, directory: directory.value, asOf, at }) %}
incremental -> null {% () => false %} | "incremental" {% () => true %}
