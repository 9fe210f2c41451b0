#!/bin/sh
# Fills in what a real PostgreSQL answers under every expression of the .test files here.
# Usage: PGHOST=... PGUSER=... ./record.sh [file ...]; needs psql and a PostgreSQL 15 in encoding UTF8, collation C.
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- *.test
for file in "$@"; do
	{
		printf '%s\n' '\pset null NULL' '\pset format unaligned' '\pset tuples_only on' "\\pset recordsep ' ; '" \
			"\\pset fieldsep '|'" 'set timezone = utc;'
		grep -v '^	' "$file" | while IFS= read -r line; do
			case "$line" in
			'' | '#'*) ;;
			set\ *) printf '%s;\n' "$line" ;;
			*) printf '%s\n' "\\echo @@begin" "select $line \\gdesc" "\\echo @@value" "select $line;" \
				"\\if :ERROR" "\\echo" "\\echo @@error :SQLSTATE: :LAST_ERROR_MESSAGE" "\\else" "\\echo" "\\endif" "\\echo @@end" ;;
			esac
		done
	} | psql -X -q -v ON_ERROR_STOP=0 postgres 2>/dev/null | FILE="$file" node record.mjs >"$file.new"
	mv "$file.new" "$file"
done
