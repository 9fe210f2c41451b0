#!/bin/sh
# Writes what a real PostgreSQL 15 says about the built-in types: attributes, casts, binary forms.
# Usage: PGHOST=... PGUSER=... ./record.sh
set -eu
cd "$(dirname "$0")"
ask() {
	psql -X -A -t -q -F ' ' postgres -c "set timezone = utc" -c "$1"
}
ask "select typname, oid, typlen, typcategory, typispreferred, typarray, typelem, format_type(oid, null)
	from pg_type where typnamespace = 11 and typtype in ('b', 'p') order by oid" >types.txt
ask "select castsource::regtype, '>', casttarget::regtype, castcontext from pg_cast
	where castsource < 10000 order by castsource, casttarget" >casts.txt
grep -v '^ ' binary.txt | while IFS= read -r line; do
	type=${line%% *}
	value=${line#* }
	printf '%s\n' "$line"
	printf ' %s\n' "$(psql -X -A -t -q postgres -c 'set timezone = utc' -c \
		"select encode($(psql -X -A -t -q postgres -c "select typsend from pg_type where typname = '$type'")('$value'::\"$type\"), 'hex')")"
done >binary.new
mv binary.new binary.txt
