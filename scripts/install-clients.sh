#!/usr/bin/env bash
# Installs what `make test-clients` speaks to Quorate with, from Debian's packages, or says what is missing and exits with 1.
# Names of packages as arguments: only those.
set -euo pipefail

packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(
	postgresql-client-15 postgresql-15
	python3-psycopg2 python3-psycopg
	ruby ruby-pg
	sysbench
	golang-go golang-github-lib-pq-dev
	default-jdk-headless libpostgresql-jdbc-java
)
missing=()
for package in "${packages[@]}"; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing: ${missing[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "could not be installed: ${missing[*]}" >&2
	exit 1
fi
