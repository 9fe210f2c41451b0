# Quorate's own: where the data of a table or of the database are to be.

configure -> "alter" "table" relation "configure" configuration {% ([, , name, , settings], at) => ({ kind: "configure", object: "table", name, settings, at }) %}
           | "alter" "database" columnName "configure" configuration
             {% ([, , database, , settings], at) => ({ kind: "configure", object: "database", name: { parts: [database], at }, settings, at }) %}
configuration -> "default" {% () => undefined %} | configured {% id %}
configured -> configuredOne {% first %} | configured "," configuredOne {% more %}
configuredOne -> columnName "=" configuredValue {% ([name, , value], at) => ({ name, value, at }) %}
configuredValue -> "default" {% () => undefined %} | %string {% ([token]) => token.value %} | settingNumber {% id %}

showConfiguration -> "show" "configuration" "from" "table" relation {% ([, , , , name], at) => ({ kind: "show-configuration", object: "table", name, at }) %}
                   | "show" "configuration" "from" "database" columnName
                     {% ([, , , , database], at) => ({ kind: "show-configuration", object: "database", name: { parts: [database], at }, at }) %}
