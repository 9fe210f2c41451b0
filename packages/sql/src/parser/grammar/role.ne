# Roles, and what they may do.

role -> "create" roleWord roleName roleWith {% ([, tag, name, options], at) => ({ kind: "create-role", tag, name, options, at }) %}
      | "alter" alteredRoleWord roleReference roleWith {% ([, , role, options], at) => ({ kind: "alter-role", role, options, at }) %}
      | "alter" roleWord roleName "rename" "to" roleName {% ([, , from, , , to], at) => ({ kind: "rename-role", from, to, at }) %}
      | "alter" alteredRoleWord roleReference roleDatabase initialSetting
        {% ([, , role, database, set], at) => ({ kind: "alter-settings", tag: "ROLE", role, database, ...set, at }) %}
      | "alter" alteredRoleWord "all" roleDatabase initialSetting
        {% ([, , , database, set], at) => ({ kind: "alter-settings", tag: "ROLE", role: undefined, database, ...set, at }) %}
      | "alter" "database" columnName initialSetting
        {% ([, , database, set], at) => ({ kind: "alter-settings", tag: "DATABASE", role: undefined, database, ...set, at }) %}
      | "alter" "database" columnName "set" "tablespace" columnName {% () => { throw unsupported("tablespaces are", "Leave it out: ALTER TABLE ... CONFIGURE says where rows are."); } %}
      | "alter" "group" columnName groupVerb "user" roleReferences {% ([, , group, verb, , members], at) => groupNode(group, verb, members, at) %}
      | "drop" roleWord ifExists roleReferences {% ([, tag, ifExists, roles], at) => ({ kind: "drop-role", tag, ifExists, roles, at }) %}
      | "drop" "owned" "by" roleReferences cascadeOpt {% ([, , , roles, cascade], at) => ({ kind: "drop-owned", roles, cascade, at }) %}
      | "reassign" "owned" "by" roleReferences "to" roleReference {% ([, , , roles, , to], at) => ({ kind: "reassign-owned", roles, to, at }) %}
      | "alter" ownedWord ifExists qualifiedName "owner" "to" roleReference {% alterOwner %}
      | "alter" madeWord qualifiedName "owner" "to" roleReference
        {% ([, object, name, , , owner], at) => ({ kind: "alter-owner", object, name, ifExists: false, owner, at }) %}
ownedWord -> "table" {% () => "table" %} | "sequence" {% () => "sequence" %} | "index" {% () => "index" %} | "schema" {% () => "schema" %}
           | "database" {% () => "database" %} | "view" {% () => "view" %}
roleWord -> "role" {% () => "ROLE" %} | "user" {% () => "USER" %} | "group" {% () => "GROUP" %}
alteredRoleWord -> "role" | "user"
initialSetting -> "set" setRest {% ([, { name, value }]) => ({ name, value }) %}
                | "set" settingName "from" "current" {% ([, name]) => ({ name, value: undefined, fromCurrent: true }) %}
                | "reset" settingName {% ([, name]) => ({ name, value: undefined }) %}
                | "reset" "time" "zone" {% () => ({ name: "timezone", value: undefined }) %}
                | "reset" "all" {% () => ({ name: undefined, value: undefined }) %}
roleDatabase -> null {% () => undefined %} | "in" "database" columnName {% ([, , name]) => name %}
groupVerb -> "add" {% () => "grant" %} | "drop" {% () => "revoke" %}
roleName -> columnName {% id %}
          | "current_user" {% specialRole %} | "current_role" {% specialRole %} | "session_user" {% specialRole %}
roleReference -> columnName {% ([name]) => ({ kind: "name", name }) %}
               | "current_user" {% () => ({ kind: "current" }) %}
               | "current_role" {% () => ({ kind: "current" }) %}
               | "session_user" {% () => ({ kind: "session" }) %}
roleReferences -> roleReference {% first %} | roleReferences "," roleReference {% more %}
roleWith -> null {% () => [] %} | roleOptions {% id %} | "with" {% () => [] %} | "with" roleOptions {% ([, options]) => options %}
roleOptions -> roleOption {% first %} | roleOptions roleOption {% more %}
# SUPERUSER, NOLOGIN ... are no key words.
roleOption -> %zoneWord {% ([token], at) => roleFlagOption(token.value, at) %}
            | "inherit" {% (d, at) => option("inherit", true, at) %}
            | "password" %string {% ([, token], at) => option("password", token.value, at) %}
            | "password" "null" {% (d, at) => option("password", undefined, at) %}
            | "encrypted" "password" %string {% ([, , token], at) => option("password", token.value, at) %}
            | "unencrypted" "password" %string {% () => { throw unsupported("UNENCRYPTED PASSWORD is", "Remove UNENCRYPTED to store the password in encrypted form instead."); } %}
            | "connection" "limit" signedInteger {% ([, , n], at) => option("connection limit", n, at) %}
            | "valid" "until" %string {% ([, , token], at) => option("valid until", token.value, at) %}
            | "sysid" %integer {% (d, at) => option("sysid", undefined, at) %}
            | "in" inRoleWord roleReferences {% ([, , roles], at) => ({ name: "in", roles, value: undefined, at }) %}
            | roleMembersWord roleReferences {% ([, roles], at) => ({ name: "members", roles, value: undefined, at }) %}
            | "admin" roleReferences {% ([, roles], at) => ({ name: "admin", roles, value: undefined, at }) %}
inRoleWord -> "role" | "group"
roleMembersWord -> "role" | "user"
signedInteger -> %integer {% ([token]) => Number(token.value) %} | "-" %integer {% ([, token]) => -Number(token.value) %}

grantOn -> "grant" rights "on" grantTarget "to" grantees grantOption grantedBy {% ([, rights, , target, , grantees, grantable], at) => grantNode("grant", rights, target, grantees, { grantable }, at) %}
grant -> "grant" rights "to" grantees adminOption grantedBy {% ([, rights, , members, admin], at) => membershipNode("grant", rights, members, { admin }, at) %}
       | grantOn {% id %}
       | "revoke" rights "from" grantees grantedBy cascadeOpt {% ([, rights, , members, , cascade], at) => membershipNode("revoke", rights, members, { cascade }, at) %}
       | "revoke" "admin" "option" "for" rights "from" grantees grantedBy cascadeOpt {% ([, , , , rights, , members, , cascade], at) => membershipNode("revoke", rights, members, { admin: true, cascade }, at) %}
       | "revoke" rights "on" grantTarget "from" grantees grantedBy cascadeOpt {% ([, rights, , target, , grantees, , cascade], at) => grantNode("revoke", rights, target, grantees, { cascade }, at) %}
       | "revoke" "grant" "option" "for" rights "on" grantTarget "from" grantees grantedBy cascadeOpt {% ([, , , , rights, , target, , grantees, , cascade], at) => grantNode("revoke", rights, target, grantees, { grantable: true, cascade }, at) %}
role -> "alter" "default" "privileges" defaultScopes defaultRights {% ([, , , scopes, rights], at) => ({ kind: "default-rights", ...scopes, ...rights, at }) %}
defaultScopes -> null {% () => ({ roles: undefined, schemas: undefined }) %}
               | defaultScopes "for" alteredRoleWord roleReferences {% ([scopes, , , roles]) => ({ ...scopes, roles }) %}
               | defaultScopes "in" "schema" columnNames {% ([scopes, , , schemas]) => ({ ...scopes, schemas }) %}
defaultRights -> "grant" rights "on" defaultObjects "to" grantees grantOption
                 {% ([, rights, , on, , grantees, grantable]) => ({ verb: "grant", rights, on, grantees, grantable }) %}
               | "revoke" rights "on" defaultObjects "from" grantees cascadeOpt
                 {% ([, rights, , on, , grantees]) => ({ verb: "revoke", rights, on, grantees, grantable: false }) %}
               | "revoke" "grant" "option" "for" rights "on" defaultObjects "from" grantees cascadeOpt
                 {% ([, , , , rights, , on, , grantees]) => ({ verb: "revoke", rights, on, grantees, grantable: true }) %}
defaultObjects -> "tables" {% () => "table" %} | "sequences" {% () => "sequence" %} | "schemas" {% () => "schema" %} | "types" {% () => "type" %}
                | "functions" {% () => "function" %} | "routines" {% () => "function" %}
rights -> right {% first %} | rights "," right {% more %}
right -> rightName columnListOpt {% ([name, columns], at) => ({ name, columns, at }) %}
       | "all" columnListOpt {% ([, columns], at) => ({ name: "all", columns, at }) %}
       | "all" "privileges" columnListOpt {% ([, , columns], at) => ({ name: "all", columns, at }) %}
rightName -> columnName {% id %} | "select" {% () => "select" %} | "references" {% () => "references" %} | "create" {% () => "create" %}
           | "alter" "system" {% () => "alter system" %}
grantTarget -> qualifiedNames {% ([names]) => ({ kind: "table", names }) %}
             | "table" qualifiedNames {% ([, names]) => ({ kind: "table", names }) %}
             | "sequence" qualifiedNames {% ([, names]) => ({ kind: "sequence", names }) %}
             | "schema" qualifiedNames {% ([, names]) => ({ kind: "schema", names }) %}
             | "database" qualifiedNames {% ([, names]) => ({ kind: "database", names }) %}
             | "all" "tables" "in" "schema" qualifiedNames {% ([, , , , names]) => ({ kind: "all tables", names }) %}
             | "all" "sequences" "in" "schema" qualifiedNames {% ([, , , , names]) => ({ kind: "all sequences", names }) %}
             | "type" qualifiedNames {% ([, names]) => ({ kind: "type", names }) %}
             | "domain" qualifiedNames {% ([, names]) => ({ kind: "domain", names }) %}
             | "all" otherGranted "in" "schema" qualifiedNames {% ([, what]) => { throw unsupported("GRANT ON " + what + " is", "Rights are on databases, schemas, tables, views, sequences, types and domains."); } %}
             | otherGranted columnName grantedTokens {% ([what]) => { throw unsupported("GRANT ON " + what + " is", "Rights are on databases, schemas, tables, views, sequences, types and domains."); } %}
otherGranted -> "function" {% () => "FUNCTION" %} | "functions" {% () => "FUNCTION" %} | "procedure" {% () => "PROCEDURE" %} | "procedures" {% () => "PROCEDURE" %}
              | "routine" {% () => "ROUTINE" %} | "routines" {% () => "ROUTINE" %} | "language" {% () => "LANGUAGE" %}
              | "tablespace" {% () => "TABLESPACE" %} | "parameter" {% () => "PARAMETER" %}
              | "foreign" {% () => "FOREIGN DATA WRAPPER" %} | "large" {% () => "LARGE OBJECT" %}
grantedTokens -> null | grantedTokens %grantedToken
grantees -> grantee {% first %} | grantees "," grantee {% more %}
grantee -> roleReference {% id %} | "group" columnName {% ([, name]) => ({ kind: "name", name }) %}
adminOption -> null {% () => false %} | "with" "admin" "option" {% () => true %}
grantOption -> null {% () => false %} | "with" "grant" "option" {% () => true %}
grantedBy -> null | "granted" "by" roleReference
