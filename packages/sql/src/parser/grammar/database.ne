# Databases, and what is put into them.

databaseStatement -> "create" "database" columnName databaseWith {% ([, , name, options], at) => ({ kind: "create-database", name, options, at }) %}
                   | "alter" "database" columnName databaseWith {% ([, , name, options], at) => ({ kind: "alter-database", name, options, at }) %}
                   | "alter" "database" columnName "rename" "to" columnName {% ([, , from, , , to], at) => ({ kind: "rename-database", from, to, at }) %}
                   | "drop" "database" ifExists columnName databaseForce {% ([, , ifExists, name, force], at) => ({ kind: "drop-database", name, ifExists, force, at }) %}
                   | "alter" "database" columnName "refresh" "collation" "version"
                     {% () => { throw unsupported("ALTER DATABASE ... REFRESH COLLATION VERSION is", "Text is ordered by bytes, which has no versions."); } %}
databaseForce -> null {% () => false %} | "(" "force" ")" {% () => true %} | "with" "(" "force" ")" {% () => true %}
databaseWith -> null {% () => [] %} | databaseOptions {% id %} | "with" {% () => [] %} | "with" databaseOptions {% ([, options]) => options %}
databaseOptions -> databaseOption {% first %} | databaseOptions databaseOption {% more %}
databaseOption -> columnName databaseEquals databaseValue {% ([name, , value], at) => ({ name, value, at }) %}
                | "connection" "limit" databaseEquals signedInteger {% ([, , , value], at) => ({ name: "connection_limit", value: String(value), at }) %}
databaseEquals -> null | "="
# Undefined: DEFAULT.
databaseValue -> columnName {% id %} | %string {% ([token]) => token.value %} | signedInteger {% ([n]) => String(n) %}
               | "true" {% () => "true" %} | "false" {% () => "false" %} | "on" {% () => "on" %} | "default" {% () => undefined %}

extension -> "create" "extension" ifNotExists columnName extensionWith {% ([, , ifNotExists, name], at) => ({ kind: "create-extension", name, ifNotExists, at }) %}
           | "drop" "extension" ifExists extensionNames cascadeOpt {% ([, , ifExists, names], at) => ({ kind: "drop-extension", names, ifExists, at }) %}
extensionWith -> null | "with" extensionOptions | extensionOptions
extensionOptions -> extensionOption | extensionOptions extensionOption
extensionOption -> "schema" columnName | "version" wordOrString | "cascade"
extensionNames -> columnName {% first %} | extensionNames "," columnName {% more %}
