/** What pg_settings says of settings, of PostgreSQL's recorded from PostgreSQL 15: name, vartype, context, unit, category, short_desc. */
export const settingData = `
application_name|string|user||Reporting and Logging / What to Log|Sets the application name to be reported in statistics and logs.
array_nulls|bool|user||Version and Platform Compatibility / Previous PostgreSQL Versions|Enable input of NULL elements in arrays.
autovacuum|bool|sighup||Autovacuum|Starts the autovacuum subprocess.
backslash_quote|enum|user||Version and Platform Compatibility / Previous PostgreSQL Versions|Sets whether "\\'" is allowed in string literals.
block_size|integer|internal||Preset Options|Shows the size of a disk block.
bytea_output|enum|user||Client Connection Defaults / Statement Behavior|Sets the output format for bytea.
check_function_bodies|bool|user||Client Connection Defaults / Statement Behavior|Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE.
client_encoding|string|user||Client Connection Defaults / Locale and Formatting|Sets the client's character set encoding.
client_min_messages|enum|user||Client Connection Defaults / Statement Behavior|Sets the message levels that are sent to the client.
cluster_version|integer|user||Quorate|Shows which formats the cluster writes.
DateStyle|string|user||Client Connection Defaults / Locale and Formatting|Sets the display format for date and time values.
dead_after|integer|user|ms|Quorate|Sets how long a node is silent before others take its replicas.
default_table_access_method|string|user||Client Connection Defaults / Statement Behavior|Sets the default table access method for new tables.
default_tablespace|string|user||Client Connection Defaults / Statement Behavior|Sets the default tablespace to create tables and indexes in.
default_transaction_deferrable|bool|user||Client Connection Defaults / Statement Behavior|Sets the default deferrable status of new transactions.
default_transaction_isolation|enum|user||Client Connection Defaults / Statement Behavior|Sets the transaction isolation level of each new transaction.
default_transaction_read_only|bool|user||Client Connection Defaults / Statement Behavior|Sets the default read-only status of new transactions.
drain_timeout|integer|user|ms|Quorate|Sets how long a node that is being stopped lets transactions go on.
enable_bitmapscan|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of bitmap-scan plans.
enable_hashagg|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of hashed aggregation plans.
enable_hashjoin|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of hash join plans.
enable_indexscan|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of index-scan plans.
enable_mergejoin|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of merge join plans.
enable_nestloop|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of nested-loop join plans.
enable_seqscan|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of sequential-scan plans.
enable_sort|bool|user||Query Tuning / Planner Method Configuration|Enables the planner's use of explicit sort steps.
escape_string_warning|bool|user||Version and Platform Compatibility / Previous PostgreSQL Versions|Warn about backslash escapes in ordinary string literals.
extra_float_digits|integer|user||Client Connection Defaults / Locale and Formatting|Sets the number of digits displayed for floating-point values.
follower_reads|bool|user||Quorate|Answers statements that only read from what this node knows of the recent past.
gc_ttl|integer|user|ms|Quorate|Sets how long the past can be read.
idle_in_transaction_session_timeout|integer|user|ms|Client Connection Defaults / Statement Behavior|Sets the maximum allowed idle time between queries, when in a transaction.
idle_session_timeout|integer|user|ms|Client Connection Defaults / Statement Behavior|Sets the maximum allowed idle time between queries, when not in a transaction.
in_hot_standby|bool|internal||Preset Options|Shows whether hot standby is currently active.
integer_datetimes|bool|internal||Preset Options|Shows whether datetimes are integer based.
IntervalStyle|enum|user||Client Connection Defaults / Locale and Formatting|Sets the display format for interval values.
jit|bool|user||Query Tuning / Other Planner Options|Allow JIT compilation.
lc_collate|string|internal||Preset Options|Shows the collation order locale.
lc_ctype|string|internal||Preset Options|Shows the character classification and case conversion locale.
lc_messages|string|superuser||Client Connection Defaults / Locale and Formatting|Sets the language in which messages are displayed.
lc_monetary|string|user||Client Connection Defaults / Locale and Formatting|Sets the locale for formatting monetary amounts.
lc_numeric|string|user||Client Connection Defaults / Locale and Formatting|Sets the locale for formatting numbers.
lc_time|string|user||Client Connection Defaults / Locale and Formatting|Sets the locale for formatting date and time values.
lock_timeout|integer|user|ms|Client Connection Defaults / Statement Behavior|Sets the maximum allowed duration of any wait for a lock.
log_min_duration_statement|integer|superuser|ms|Reporting and Logging / When to Log|Sets the minimum execution time above which all statements will be logged.
log_min_messages|enum|superuser||Reporting and Logging / When to Log|Sets the message levels that are logged.
log_statement|enum|superuser||Reporting and Logging / What to Log|Sets the type of statements logged.
maintenance_work_mem|integer|user|kB|Resource Usage / Memory|Sets the maximum memory to be used for maintenance operations.
max_advisory_locks|integer|user||Quorate|Sets how many advisory locks a session may hold.
max_channels|integer|user||Quorate|Sets how many channels a session may listen to.
max_connections|integer|postmaster||Connections and Authentication / Connection Settings|Sets the maximum number of concurrent connections.
max_identifier_length|integer|internal||Preset Options|Shows the maximum identifier length.
max_index_keys|integer|internal||Preset Options|Shows the maximum number of index keys.
max_parallel_workers_per_gather|integer|user||Resource Usage / Asynchronous Behavior|Sets the maximum number of parallel processes per executor node.
max_portals|integer|user||Quorate|Sets how many portals and cursors a session may keep.
max_prepared_statements|integer|user||Quorate|Sets how many prepared statements a session may keep.
password_encryption|enum|user||Connections and Authentication / Authentication|Chooses the algorithm for encrypting passwords.
plan_cache_mode|enum|user||Query Tuning / Other Planner Options|Controls the planner's selection of custom or generic plan.
quote_all_identifiers|bool|user||Version and Platform Compatibility / Previous PostgreSQL Versions|When generating SQL fragments, quote all identifiers.
range_max_bytes|integer|user|kB|Quorate|Sets the size above which a range is split.
range_max_load|integer|user||Quorate|Sets the requests a second above which a range is split; 0: there is no limit.
range_merge_after|integer|user|ms|Quorate|Sets how long neighbours are small and cold before they become one range; 0: never.
row_security|bool|user||Client Connection Defaults / Statement Behavior|Enable row security.
search_path|string|user||Client Connection Defaults / Statement Behavior|Sets the schema search order for names that are not schema-qualified.
server_encoding|string|internal||Preset Options|Shows the server (database) character set encoding.
server_version_num|integer|internal||Preset Options|Shows the server version as an integer.
server_version|string|internal||Preset Options|Shows the server version.
session_memory|integer|user|kB|Quorate|Sets what a session may keep in memory.
ssl|bool|sighup||Connections and Authentication / SSL|Enables SSL connections.
standard_conforming_strings|bool|user||Version and Platform Compatibility / Previous PostgreSQL Versions|Causes '...' strings to treat backslashes literally.
statement_timeout|integer|user|ms|Client Connection Defaults / Statement Behavior|Sets the maximum allowed duration of any statement.
synchronize_seqscans|bool|user||Version and Platform Compatibility / Previous PostgreSQL Versions|Enable synchronized sequential scans.
synchronous_commit|enum|user||Write-Ahead Log / Settings|Sets the current transaction's synchronization level.
TimeZone|string|user||Client Connection Defaults / Locale and Formatting|Sets the time zone for displaying and interpreting time stamps.
transaction_deferrable|bool|user||Client Connection Defaults / Statement Behavior|Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures.
transaction_isolation|enum|user||Client Connection Defaults / Statement Behavior|Sets the current transaction's isolation level.
transaction_mode|enum|user||Quorate|Sets whether transactions lock rows as they go or validate at commit.
transaction_read_only|bool|user||Client Connection Defaults / Statement Behavior|Sets the current transaction's read-only status.
transaction_timeout|integer|user|ms|Quorate|Sets the maximum allowed duration of any transaction within a session.
wal_level|enum|postmaster||Write-Ahead Log / Settings|Sets the level of information written to the WAL.
work_mem|integer|user|kB|Resource Usage / Memory|Sets the maximum memory to be used for query workspaces.
xmloption|enum|user||Client Connection Defaults / Statement Behavior|Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments.
`;
