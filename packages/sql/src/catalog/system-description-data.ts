/** Made by scripts/descriptions.mjs: what PostgreSQL 15 says of what there is in every database. */

/** OID, and what it is. */
export const typeDescriptions = `
16|boolean, 'true'/'false'
17|variable-length string, binary values escaped
18|single character
19|63-byte type for storing system identifiers
20|~18 digit integer, 8-byte storage
21|-32 thousand to 32 thousand, 2-byte storage
22|array of int2, used in system tables
23|-2 billion to 2 billion integer, 4-byte storage
24|registered procedure
25|variable-length string, no limit specified
26|object identifier(oid), maximum 4 billion
28|transaction id
29|command identifier type, sequence in transaction id
30|array of oids, used in system tables
114|JSON stored as text
194|string representing an internal node tree
700|single-precision floating point number, 4-byte storage
701|double-precision floating point number, 8-byte storage
705|pseudo-type representing an undetermined type
1033|access control list
1042|char(length), blank-padded string, fixed storage length
1043|varchar(length), non-blank-padded string, variable storage length
1082|date
1083|time of day
1114|date and time
1184|date and time with time zone
1186|@ <number> <units>, time interval
1266|time of day with time zone
1700|numeric(precision, decimal), arbitrary precision number
2202|registered procedure (with args)
2203|registered operator
2204|registered operator (with args)
2205|registered class
2206|registered type
2249|pseudo-type representing any composite type
2275|C-style string
2276|pseudo-type representing any type
2277|pseudo-type representing a polymorphic array type
2278|pseudo-type for the result of a function with no real result
2279|pseudo-type for the result of a trigger function
2281|pseudo-type representing an internal data structure
2283|pseudo-type representing a polymorphic base type
2776|pseudo-type representing a polymorphic base type that is not an array
2950|UUID datatype
3500|pseudo-type representing a polymorphic base type that is an enum
3734|registered text search configuration
3802|Binary JSON
4072|JSON path
4089|registered namespace
4096|registered role
5069|full transaction id
5077|pseudo-type representing a polymorphic common type
5078|pseudo-type representing an array of polymorphic common type elements
5079|pseudo-type representing a polymorphic common type that is not an array
`;

/** Name, type OIDs of the arguments, and what it does. */
export const functionDescriptions = `
aclitemin|2281|I/O
aclitemout|2281|I/O
any_in|2281|I/O
any_out|2281|I/O
anyarray_in|2281|I/O
anyarray_out|2281|I/O
anyarray_recv|2281|I/O
anyarray_send|2281|I/O
anycompatible_in|2281|I/O
anycompatible_out|2281|I/O
anycompatiblearray_in|2281|I/O
anycompatiblearray_out|2281|I/O
anycompatiblearray_recv|2281|I/O
anycompatiblearray_send|2281|I/O
anycompatiblenonarray_in|2281|I/O
anycompatiblenonarray_out|2281|I/O
anyelement_in|2281|I/O
anyelement_out|2281|I/O
anyenum_in|2281|I/O
anyenum_out|2281|I/O
anynonarray_in|2281|I/O
anynonarray_out|2281|I/O
array_in|2281|I/O
array_out|2281|I/O
array_recv|2281|I/O
array_send|2281|I/O
array_subscript_handler|2281|standard array subscripting support
boolin|2281|I/O
boolout|2281|I/O
boolrecv|2281|I/O
boolsend|2281|I/O
bpcharin|2281|I/O
bpcharout|2281|I/O
bpcharrecv|2281|I/O
bpcharsend|2281|I/O
byteain|2281|I/O
byteaout|2281|I/O
bytearecv|2281|I/O
byteasend|2281|I/O
charin|2281|I/O
charout|2281|I/O
charrecv|2281|I/O
charsend|2281|I/O
cidin|2281|I/O
cidout|2281|I/O
cidrecv|2281|I/O
cidsend|2281|I/O
cstring_in|2281|I/O
cstring_out|2281|I/O
cstring_recv|2281|I/O
cstring_send|2281|I/O
date_in|2281|I/O
date_out|2281|I/O
date_recv|2281|I/O
date_send|2281|I/O
float4in|2281|I/O
float4out|2281|I/O
float4recv|2281|I/O
float4send|2281|I/O
float8in|2281|I/O
float8out|2281|I/O
float8recv|2281|I/O
float8send|2281|I/O
int2in|2281|I/O
int2out|2281|I/O
int2recv|2281|I/O
int2send|2281|I/O
int2vectorin|2281|I/O
int2vectorout|2281|I/O
int2vectorrecv|2281|I/O
int2vectorsend|2281|I/O
int4in|2281|I/O
int4out|2281|I/O
int4recv|2281|I/O
int4send|2281|I/O
int8in|2281|I/O
int8out|2281|I/O
int8recv|2281|I/O
int8send|2281|I/O
internal_in|2281|I/O
internal_out|2281|I/O
interval_in|2281|I/O
interval_out|2281|I/O
interval_recv|2281|I/O
interval_send|2281|I/O
json_in|2281|I/O
json_out|2281|I/O
json_recv|2281|I/O
json_send|2281|I/O
jsonb_in|2281|I/O
jsonb_out|2281|I/O
jsonb_recv|2281|I/O
jsonb_send|2281|I/O
jsonb_subscript_handler|2281|jsonb subscripting logic
jsonpath_in|2281|I/O
jsonpath_out|2281|I/O
jsonpath_recv|2281|I/O
jsonpath_send|2281|I/O
namein|2281|I/O
nameout|2281|I/O
namerecv|2281|I/O
namesend|2281|I/O
numeric_in|2281|I/O
numeric_out|2281|I/O
numeric_recv|2281|I/O
numeric_send|2281|I/O
oidin|2281|I/O
oidout|2281|I/O
oidrecv|2281|I/O
oidsend|2281|I/O
oidvectorin|2281|I/O
oidvectorout|2281|I/O
oidvectorrecv|2281|I/O
oidvectorsend|2281|I/O
pg_node_tree_in|2281|I/O
pg_node_tree_out|2281|I/O
pg_node_tree_recv|2281|I/O
pg_node_tree_send|2281|I/O
raw_array_subscript_handler|2281|raw array subscripting support
record_in|2281|I/O
record_out|2281|I/O
record_recv|2281|I/O
record_send|2281|I/O
regclassin|2281|I/O
regclassout|2281|I/O
regclassrecv|2281|I/O
regclasssend|2281|I/O
regconfigin|2281|I/O
regconfigout|2281|I/O
regconfigrecv|2281|I/O
regconfigsend|2281|I/O
regnamespacein|2281|I/O
regnamespaceout|2281|I/O
regnamespacerecv|2281|I/O
regnamespacesend|2281|I/O
regoperatorin|2281|I/O
regoperatorout|2281|I/O
regoperatorrecv|2281|I/O
regoperatorsend|2281|I/O
regoperin|2281|I/O
regoperout|2281|I/O
regoperrecv|2281|I/O
regopersend|2281|I/O
regprocedurein|2281|I/O
regprocedureout|2281|I/O
regprocedurerecv|2281|I/O
regproceduresend|2281|I/O
regprocin|2281|I/O
regprocout|2281|I/O
regprocrecv|2281|I/O
regprocsend|2281|I/O
regrolein|2281|I/O
regroleout|2281|I/O
regrolerecv|2281|I/O
regrolesend|2281|I/O
regtypein|2281|I/O
regtypeout|2281|I/O
regtyperecv|2281|I/O
regtypesend|2281|I/O
textin|2281|I/O
textout|2281|I/O
textrecv|2281|I/O
textsend|2281|I/O
time_in|2281|I/O
time_out|2281|I/O
time_recv|2281|I/O
time_send|2281|I/O
timestamp_in|2281|I/O
timestamp_out|2281|I/O
timestamp_recv|2281|I/O
timestamp_send|2281|I/O
timestamptz_in|2281|I/O
timestamptz_out|2281|I/O
timestamptz_recv|2281|I/O
timestamptz_send|2281|I/O
timetz_in|2281|I/O
timetz_out|2281|I/O
timetz_recv|2281|I/O
timetz_send|2281|I/O
trigger_in|2281|I/O
trigger_out|2281|I/O
unknownin|2281|I/O
unknownout|2281|I/O
unknownrecv|2281|I/O
unknownsend|2281|I/O
uuid_in|2281|I/O
uuid_out|2281|I/O
uuid_recv|2281|I/O
uuid_send|2281|I/O
varcharin|2281|I/O
varcharout|2281|I/O
varcharrecv|2281|I/O
varcharsend|2281|I/O
void_in|2281|I/O
void_out|2281|I/O
void_recv|2281|I/O
void_send|2281|I/O
xid8in|2281|I/O
xid8out|2281|I/O
xid8recv|2281|I/O
xid8send|2281|I/O
xidin|2281|I/O
xidout|2281|I/O
xidrecv|2281|I/O
xidsend|2281|I/O
abs|21|absolute value
abs|23|absolute value
abs|20|absolute value
mod|21 21|modulus
mod|23 23|modulus
mod|20 20|modulus
gcd|23 23|greatest common divisor
gcd|20 20|greatest common divisor
lcm|23 23|least common multiple
lcm|20 20|least common multiple
to_hex|23|convert int4 number to hex
to_hex|20|convert int8 number to hex
abs|700|absolute value
abs|701|absolute value
width_bucket|701 701 701 23|bucket number of operand in equal-width histogram
power|701 701|exponentiation
pow|701 701|exponentiation
sqrt|701|square root
cbrt|701|cube root
exp|701|natural exponential (e^x)
ln|701|natural logarithm
log|701|base 10 logarithm
log10|701|base 10 logarithm
ceil|701|nearest integer >= value
ceiling|701|nearest integer >= value
floor|701|nearest integer <= value
trunc|701|truncate to integer
round|701|round to nearest integer
sign|701|sign of value
pi||PI
degrees|701|radians to degrees
radians|701|degrees to radians
sin|701|sine
cos|701|cosine
tan|701|tangent
asin|701|arcsine
acos|701|arccosine
atan|701|arctangent
atan2|701 701|arctangent, two arguments
random||random value
sind|701|sine, degrees
cosd|701|cosine, degrees
tand|701|tangent, degrees
cotd|701|cotangent, degrees
asind|701|arcsine, degrees
acosd|701|arccosine, degrees
atand|701|arctangent, degrees
cot|701|cotangent
sinh|701|hyperbolic sine
cosh|701|hyperbolic cosine
tanh|701|hyperbolic tangent
asinh|701|inverse hyperbolic sine
acosh|701|inverse hyperbolic cosine
atanh|701|inverse hyperbolic tangent
atan2d|701 701|arctangent, two arguments, degrees
abs|1700|absolute value
mod|1700 1700|modulus
div|1700 1700|trunc(x/y)
ceil|1700|nearest integer >= value
ceiling|1700|nearest integer >= value
floor|1700|nearest integer <= value
round|1700|value rounded to 'scale' of zero
round|1700 23|value rounded to 'scale'
trunc|1700|value truncated to 'scale' of zero
trunc|1700 23|value truncated to 'scale'
sign|1700|sign of value
sqrt|1700|square root
exp|1700|natural exponential (e^x)
ln|1700|natural logarithm
log|1700|base 10 logarithm
log10|1700|base 10 logarithm
log|1700 1700|logarithm base m of n
power|1700 1700|exponentiation
pow|1700 1700|exponentiation
scale|1700|number of decimal digits in the fractional part
min_scale|1700|minimum scale needed to represent the value
trim_scale|1700|numeric with minimum scale needed to represent the value
factorial|20|factorial
gcd|1700 1700|greatest common divisor
lcm|1700 1700|least common multiple
width_bucket|1700 1700 1700 23|bucket number of operand in equal-width histogram
length|25|length
length|1042|character length
char_length|25|character length
char_length|1042|character length
character_length|25|character length
character_length|1042|character length
concat|2276|concatenate values
concat_ws|25 2276|concatenate values with separators
octet_length|25|octet length
octet_length|1042|octet length
bit_length|25|length in bits
lower|25|lowercase
upper|25|uppercase
initcap|25|capitalize each word
substring|25 23|extract portion of string
substring|25 23 23|extract portion of string
substr|25 23|extract portion of string
substr|25 23 23|extract portion of string
left|25 23|extract the first n characters
right|25 23|extract the last n characters
btrim|25|trim spaces from both ends of string
btrim|25 25|trim selected characters from both ends of string
ltrim|25|trim spaces from left end of string
ltrim|25 25|trim selected characters from left end of string
rtrim|25|trim spaces from right end of string
rtrim|25 25|trim selected characters from right end of string
replace|25 25 25|replace all occurrences in string of old_substr with new_substr
position|25 25|position of substring
strpos|25 25|position of substring
repeat|25 23|replicate string n times
reverse|25|reverse text
lpad|25 23|left-pad string to length
lpad|25 23 25|left-pad string to length
rpad|25 23|right-pad string to length
rpad|25 23 25|right-pad string to length
split_part|25 25 23|split string by field_sep and return field_num
starts_with|25 25|implementation of ^@ operator
translate|25 25 25|map a set of characters appearing in string
ascii|25|convert first char to int4
chr|23|convert int4 to char
overlay|25 25 23|substitute portion of string
overlay|25 25 23 23|substitute portion of string
like_escape|25 25|convert LIKE pattern to use backslash escapes
similar_to_escape|25|convert SQL regexp pattern to POSIX style
similar_to_escape|25 25|convert SQL regexp pattern to POSIX style
like|25 25|matches LIKE expression
notlike|25 25|does not match LIKE expression
text_larger|25 25|larger of two
bpcharcmp|1042 1042|less-equal-greater
parse_ident|25|parse qualified identifier to array of identifiers
parse_ident|25 16|parse qualified identifier to array of identifiers
unistr|25|unescape Unicode characters
normalize|25 25|Unicode normalization
is_normalized|25 25|check Unicode normalization
pg_size_bytes|25|convert a size in human-readable format with size units into bytes
num_nulls|2276|count the number of NULL arguments
num_nonnulls|2276|count the number of non-NULL arguments
hashtext|25|hash
hashtextextended|25 20|hash
quote_ident|25|quote an identifier for usage in a querystring
quote_literal|25|quote a literal for usage in a querystring
quote_literal|2283|quote a data value for usage in a querystring
quote_nullable|25|quote a possibly-null literal for usage in a querystring
quote_nullable|2283|quote a possibly-null data value for usage in a querystring
format|25|format text message
format|25 2276|format text message
regexp_like|25 25|test for regexp match
regexp_like|25 25 25|test for regexp match
regexp_match|25 25|find first match for regexp
regexp_match|25 25 25|find first match for regexp
regexp_replace|25 25 25|replace text using regexp
regexp_replace|25 25 25 25|replace text using regexp
regexp_split_to_array|25 25|split string by pattern
regexp_split_to_array|25 25 25|split string by pattern
regexp_count|25 25|count regexp matches
regexp_count|25 25 23|count regexp matches
regexp_count|25 25 23 25|count regexp matches
regexp_instr|25 25|position of regexp match
regexp_instr|25 25 23|position of regexp match
regexp_instr|25 25 23 23|position of regexp match
regexp_instr|25 25 23 23 23|position of regexp match
regexp_instr|25 25 23 23 23 25|position of regexp match
regexp_instr|25 25 23 23 23 25 23|position of regexp match
regexp_substr|25 25|extract substring that matches regexp
regexp_substr|25 25 23|extract substring that matches regexp
regexp_substr|25 25 23 23|extract substring that matches regexp
regexp_substr|25 25 23 23 25|extract substring that matches regexp
regexp_substr|25 25 23 23 25 23|extract substring that matches regexp
regexp_replace|25 25 25 23|replace text using regexp
regexp_replace|25 25 25 23 23|replace text using regexp
regexp_replace|25 25 25 23 23 25|replace text using regexp
substring|25 25|extract text matching regular expression
substring|25 25 25|extract text matching SQL regular expression
textregexeq|25 25|implementation of ~ operator
length|17|octet length
octet_length|17|octet length
bit_length|17|length in bits
substring|17 23|extract portion of string
substring|17 23 23|extract portion of string
substr|17 23|extract portion of string
substr|17 23 23|extract portion of string
position|17 17|position of substring
btrim|17 17|trim selected bytes from both ends of string
ltrim|17 17|trim selected bytes from left end of string
rtrim|17 17|trim selected bytes from right end of string
overlay|17 17 23|substitute portion of string
overlay|17 17 23 23|substitute portion of string
get_bit|17 20|get bit
set_bit|17 20 23|set bit
bit_count|17|number of set bits
like|17 17|matches LIKE expression
notlike|17 17|does not match LIKE expression
get_byte|17 23|get byte
set_byte|17 23 23|set byte
encode|17 25|convert bytea value into some ascii-only text string
decode|25 25|convert ascii-encoded text string into bytea value
md5|25|MD5 hash
md5|17|MD5 hash
sha224|17|SHA-224 hash
sha256|17|SHA-256 hash
sha384|17|SHA-384 hash
sha512|17|SHA-512 hash
convert_from|17 19|convert string with specified source encoding name
convert_to|25 19|convert string with specified destination encoding name
timetz_cmp|1266 1266|less-equal-greater
timezone|25 1266|adjust time with time zone to new zone
timezone|1186 1266|adjust time with time zone to new zone
gen_random_uuid||generate random UUID
extract|25 1082|extract field from date
date_part|25 1082|extract field from date
extract|25 1083|extract field from time
date_part|25 1083|extract field from time
extract|25 1266|extract field from time with time zone
date_part|25 1266|extract field from time with time zone
extract|25 1114|extract field from timestamp
date_part|25 1114|extract field from timestamp
extract|25 1186|extract field from interval
date_part|25 1186|extract field from interval
extract|25 1184|extract field from timestamp with time zone
date_part|25 1184|extract field from timestamp with time zone
date_trunc|25 1114|truncate timestamp to specified units
date_trunc|25 1184|truncate timestamp with time zone to specified units
date_trunc|25 1184 25|truncate timestamp with time zone to specified units in specified time zone
date_trunc|25 1186|truncate interval to specified units
timezone|25 1184|adjust timestamp to new time zone
timezone|25 1114|adjust timestamp to new time zone
timezone|1186 1184|adjust timestamp to new time zone
timezone|1186 1114|adjust timestamp to new time zone
now||current transaction time
transaction_timestamp||current transaction time
statement_timestamp||current statement time
clock_timestamp||current clock time
pg_sleep|701|sleep for the specified time in seconds
pg_sleep_for|1186|sleep for the specified interval
isfinite|1082|finite date?
isfinite|1114|finite timestamp?
isfinite|1184|finite timestamp?
isfinite|1186|finite interval?
age|1114 1114|date difference preserving months and years
age|1184 1184|date difference preserving months and years
age|1114|date difference from today preserving months and years
age|1184|date difference from today preserving months and years
make_date|23 23 23|construct date
make_time|23 23 701|construct time
make_timestamp|23 23 23 23 23 701|construct timestamp
make_timestamptz|23 23 23 23 23 701|construct timestamp with time zone
to_timestamp|701|convert UNIX epoch to timestamptz
justify_hours|1186|promote groups of 24 hours to numbers of days
justify_days|1186|promote groups of 30 days to numbers of months
justify_interval|1186|promote groups of 24 hours to numbers of days and promote groups of 30 days to numbers of months
overlaps|1114 1114 1114 1114|intervals overlap?
overlaps|1114 1114 1114 1186|intervals overlap?
overlaps|1114 1186 1114 1114|intervals overlap?
overlaps|1114 1186 1114 1186|intervals overlap?
overlaps|1184 1184 1184 1184|intervals overlap?
overlaps|1184 1184 1184 1186|intervals overlap?
overlaps|1184 1186 1184 1184|intervals overlap?
overlaps|1184 1186 1184 1186|intervals overlap?
overlaps|1083 1083 1083 1083|intervals overlap?
overlaps|1083 1083 1083 1186|intervals overlap?
overlaps|1083 1186 1083 1083|intervals overlap?
overlaps|1083 1186 1083 1186|intervals overlap?
date_bin|1186 1114 1114|bin timestamp into specified interval
date_bin|1186 1184 1184|bin timestamp with time zone into specified interval
make_interval|23 23 23 23 23 23 701|construct interval
make_timestamptz|23 23 23 23 23 701 25|construct timestamp with time zone
to_char|1114 25|format timestamp to text
to_char|1184 25|format timestamp with time zone to text
timeofday||current date and time - increments during transactions
to_char|1186 25|format interval to text
to_date|25 25|convert text to date
to_timestamp|25 25|convert text to timestamp with time zone
to_char|23 25|format int4 to text
to_char|20 25|format int8 to text
to_char|1700 25|format numeric to text
to_char|700 25|format float4 to text
to_char|701 25|format float8 to text
to_number|25 25|convert text to numeric
array_length|2277 23|array length
array_lower|2277 23|array lower dimension
array_upper|2277 23|array upper dimension
array_ndims|2277|number of array dimensions
array_dims|2277|array dimensions
cardinality|2277|array cardinality
array_append|5078 5077|append element onto end of array
array_prepend|5077 5078|prepend element onto front of array
array_cat|5078 5078|implementation of || operator
array_position|5078 5077|returns an offset of value in array
array_position|5078 5077 23|returns an offset of value in array with start index
array_positions|5078 5077|returns an array of offsets of some value in array
array_remove|5078 5077|remove any occurrences of an element from an array
array_replace|5078 5077 5077|replace any occurrences of an element in an array
array_to_string|2277 25|concatenate array elements, using delimiter, into text
array_to_string|2277 25 25|concatenate array elements, using delimiter and null string, into text
string_to_array|25 25|split delimited text
string_to_array|25 25 25|split delimited text, with null string
array_fill|2283 1007|array constructor with value
array_fill|2283 1007 1007|array constructor with value
trim_array|2277 23|remove last N elements of array
current_user||current user name
session_user||session user name
current_database||name of the current database
current_schema||current schema name
current_schemas|16|current schema search list
current_setting|25|SHOW X as a function
current_setting|25 16|SHOW X as a function, optionally no error for missing variable
set_config|25 25 16|SET X as a function
version||PostgreSQL version string
to_regtype|25|convert type name to regtype
pg_typeof|2276|type of the argument
pg_column_size|2276|bytes required to store the value, perhaps with compression
format_type|26 23|format a type oid and atttypmod to canonical SQL
pg_size_pretty|20|convert a long int to a human readable text using size units
pg_size_pretty|1700|convert a numeric to a human readable text using size units
pg_backend_pid||statistics: current backend PID
pg_is_in_recovery||true if server is in recovery
pg_trigger_depth||current trigger depth
pg_jit_available||Is JIT compilation available in this session?
row_security_active|26|row security for current context active on table by table oid
row_security_active|25|row security for current context active on table by table name
pg_get_function_arg_default|26 23|function argument default
pg_my_temp_schema||get OID of current session's temp schema, if any
pg_is_other_temp_schema|26|is schema another session's temp schema?
pg_client_encoding||encoding name of current database
getdatabaseencoding||encoding name of current database
nextval|2205|sequence next value
currval|2205|sequence current value
lastval||current value from last used sequence
pg_sequence_last_value|2205|sequence last value
setval|2205 20|set sequence value
setval|2205 20 16|set sequence value and is_called status
pg_advisory_lock|20|obtain exclusive advisory lock
pg_advisory_lock|23 23|obtain exclusive advisory lock
pg_advisory_lock_shared|20|obtain shared advisory lock
pg_advisory_lock_shared|23 23|obtain shared advisory lock
pg_advisory_xact_lock|20|obtain exclusive advisory lock
pg_advisory_xact_lock|23 23|obtain exclusive advisory lock
pg_advisory_xact_lock_shared|20|obtain shared advisory lock
pg_advisory_xact_lock_shared|23 23|obtain shared advisory lock
pg_try_advisory_lock|20|obtain exclusive advisory lock if available
pg_try_advisory_lock|23 23|obtain exclusive advisory lock if available
pg_try_advisory_lock_shared|20|obtain shared advisory lock if available
pg_try_advisory_lock_shared|23 23|obtain shared advisory lock if available
pg_try_advisory_xact_lock|20|obtain exclusive advisory lock if available
pg_try_advisory_xact_lock|23 23|obtain exclusive advisory lock if available
pg_try_advisory_xact_lock_shared|20|obtain shared advisory lock if available
pg_try_advisory_xact_lock_shared|23 23|obtain shared advisory lock if available
pg_advisory_unlock|20|release exclusive advisory lock
pg_advisory_unlock|23 23|release exclusive advisory lock
pg_advisory_unlock_shared|20|release shared advisory lock
pg_advisory_unlock_shared|23 23|release shared advisory lock
pg_advisory_unlock_all||release all advisory locks
pg_notify|25 25|send a notification event
pg_notification_queue_usage||get the fraction of the asynchronous notification queue currently in use
pg_cancel_backend|23|cancel a server process' current query
pg_terminate_backend|23|terminate a server process
pg_terminate_backend|23 20|terminate a server process
pg_blocking_pids|23|get array of PIDs of sessions blocking specified backend PID from acquiring a heavyweight lock
pg_export_snapshot||export a snapshot
pg_current_xact_id||get current transaction ID
pg_current_xact_id_if_assigned||get current transaction ID
txid_current||get current transaction ID
txid_current_if_assigned||get current transaction ID
pg_table_is_visible|26|is table visible in search path?
pg_type_is_visible|26|is type visible in search path?
pg_function_is_visible|26|is function visible in search path?
pg_operator_is_visible|26|is operator visible in search path?
pg_opclass_is_visible|26|is opclass visible in search path?
pg_opfamily_is_visible|26|is opfamily visible in search path?
pg_collation_is_visible|26|is collation visible in search path?
pg_conversion_is_visible|26|is conversion visible in search path?
pg_statistics_obj_is_visible|26|is statistics object visible in search path?
pg_ts_config_is_visible|26|is text search configuration visible in search path?
pg_ts_dict_is_visible|26|is text search dictionary visible in search path?
pg_ts_parser_is_visible|26|is text search parser visible in search path?
pg_ts_template_is_visible|26|is text search template visible in search path?
pg_get_indexdef|26|index description
pg_get_indexdef|26 23 16|index description (full create statement or single expression) with pretty-print option
pg_get_constraintdef|26|constraint description
pg_get_constraintdef|26 16|constraint description with pretty-print option
pg_get_expr|194 26|deparse an encoded expression
pg_get_expr|194 26 16|deparse an encoded expression with pretty-print option
pg_get_viewdef|26|select statement of a view
pg_get_viewdef|26 16|select statement of a view with pretty-print option
pg_get_viewdef|25|select statement of a view
pg_get_viewdef|25 16|select statement of a view with pretty-print option
pg_get_ruledef|26|source text of a rule
pg_get_ruledef|26 16|source text of a rule with pretty-print option
pg_get_triggerdef|26|trigger description
pg_get_triggerdef|26 16|trigger description with pretty-print option
pg_get_functiondef|26|definition of a function
pg_get_function_result|26|result type of a function
pg_get_function_arguments|26|argument list of a function
pg_get_function_identity_arguments|26|identity argument list of a function
pg_get_function_sqlbody|26|function SQL body
pg_get_partkeydef|26|partition key description
pg_get_partition_constraintdef|26|partition constraint description
pg_get_statisticsobjdef|26|extended statistics object description
pg_get_statisticsobjdef_columns|26|extended statistics columns
pg_get_userbyid|26|role name by OID (with fallback)
pg_get_serial_sequence|25 25|name of sequence for a serial column
obj_description|26|deprecated, use two-argument form instead
obj_description|26 19|get description for object id and catalog name
col_description|26 23|get description for table column
shobj_description|26 19|get description for object id and shared catalog name
pg_describe_object|26 26 23|get identification of SQL object
pg_partition_root|2205|get top-most partition root parent
pg_encoding_to_char|23|convert encoding id to encoding name
pg_char_to_encoding|19|convert encoding name to encoding id
pg_tablespace_location|26|tablespace location
pg_relation_is_publishable|2205|returns whether a relation can be part of a publication
pg_relation_is_updatable|2205 16|is a relation insertable/updatable/deletable
pg_column_is_updatable|2205 21 16|is a column updatable
pg_index_column_has_property|2205 23 25|test property of an index column
pg_indexam_has_property|26 25|test property of an index access method
pg_index_has_property|2205 25|test property of an index
pg_relation_size|2205|disk space usage for the main fork of the specified table or index
pg_relation_size|2205 25|disk space usage for the specified fork of a table or index
pg_table_size|2205|disk space usage for the specified table, including TOAST, free space and visibility map
pg_indexes_size|2205|disk space usage for all indexes attached to the specified table
pg_total_relation_size|2205|total disk space usage for the specified table and associated indexes
pg_database_size|26|total disk space usage for the specified database
pg_database_size|19|total disk space usage for the specified database
pg_tablespace_size|26|total disk space usage for the specified tablespace
pg_relation_filenode|2205|filenode identifier of relation
to_regclass|25|convert classname to regclass
to_regproc|25|convert proname to regproc
to_regnamespace|25|convert namespace name to regnamespace
to_regrole|25|convert role name to regrole
to_regprocedure|25|convert proname to regprocedure
acldefault|18 26|show hardwired default privileges, primarily for use by the information schema
has_table_privilege|25 25|current user privilege on relation by rel name
has_table_privilege|19 25 25|user privilege on relation by username, rel name
has_table_privilege|26 25 25|user privilege on relation by user oid, rel name
has_table_privilege|26 25|current user privilege on relation by rel oid
has_table_privilege|19 26 25|user privilege on relation by username, rel oid
has_table_privilege|26 26 25|user privilege on relation by user oid, rel oid
has_schema_privilege|25 25|current user privilege on schema by schema name
has_schema_privilege|19 25 25|user privilege on schema by username, schema name
has_schema_privilege|26 25 25|user privilege on schema by user oid, schema name
has_schema_privilege|26 25|current user privilege on schema by schema oid
has_schema_privilege|19 26 25|user privilege on schema by username, schema oid
has_schema_privilege|26 26 25|user privilege on schema by user oid, schema oid
has_database_privilege|25 25|current user privilege on database by database name
has_database_privilege|19 25 25|user privilege on database by username, database name
has_database_privilege|26 25 25|user privilege on database by user oid, database name
has_database_privilege|26 25|current user privilege on database by database oid
has_database_privilege|19 26 25|user privilege on database by username, database oid
has_database_privilege|26 26 25|user privilege on database by user oid, database oid
has_sequence_privilege|25 25|current user privilege on sequence by seq name
has_sequence_privilege|19 25 25|user privilege on sequence by username, seq name
has_sequence_privilege|26 25 25|user privilege on sequence by user oid, seq name
has_sequence_privilege|26 25|current user privilege on sequence by seq oid
has_sequence_privilege|19 26 25|user privilege on sequence by username, seq oid
has_sequence_privilege|26 26 25|user privilege on sequence by user oid, seq oid
has_function_privilege|25 25|current user privilege on function by function name
has_function_privilege|19 25 25|user privilege on function by username, function name
has_function_privilege|26 25 25|user privilege on function by user oid, function name
has_function_privilege|26 25|current user privilege on function by function oid
has_function_privilege|19 26 25|user privilege on function by username, function oid
has_function_privilege|26 26 25|user privilege on function by user oid, function oid
has_any_column_privilege|25 25|current user privilege on any column by rel name
has_any_column_privilege|19 25 25|user privilege on any column by username, rel name
has_any_column_privilege|26 25 25|user privilege on any column by user oid, rel name
has_any_column_privilege|26 25|current user privilege on any column by rel oid
has_any_column_privilege|19 26 25|user privilege on any column by username, rel oid
has_any_column_privilege|26 26 25|user privilege on any column by user oid, rel oid
has_tablespace_privilege|25 25|current user privilege on tablespace by tablespace name
has_tablespace_privilege|19 25 25|user privilege on tablespace by username, tablespace name
has_tablespace_privilege|26 25 25|user privilege on tablespace by user oid, tablespace name
has_tablespace_privilege|26 25|current user privilege on tablespace by tablespace oid
has_tablespace_privilege|19 26 25|user privilege on tablespace by username, tablespace oid
has_tablespace_privilege|26 26 25|user privilege on tablespace by user oid, tablespace oid
has_type_privilege|25 25|current user privilege on type by type name
has_type_privilege|19 25 25|user privilege on type by username, type name
has_type_privilege|26 25 25|user privilege on type by user oid, type name
has_type_privilege|26 25|current user privilege on type by type oid
has_type_privilege|19 26 25|user privilege on type by username, type oid
has_type_privilege|26 26 25|user privilege on type by user oid, type oid
has_language_privilege|25 25|current user privilege on language by language name
has_language_privilege|19 25 25|user privilege on language by username, language name
has_language_privilege|26 25 25|user privilege on language by user oid, language name
has_language_privilege|26 25|current user privilege on language by language oid
has_language_privilege|19 26 25|user privilege on language by username, language oid
has_language_privilege|26 26 25|user privilege on language by user oid, language oid
has_column_privilege|25 25 25|current user privilege on column by rel name, col name
has_column_privilege|19 25 25 25|user privilege on column by username, rel name, col name
has_column_privilege|25 21 25|current user privilege on column by rel name, col attnum
has_column_privilege|19 25 21 25|user privilege on column by username, rel name, col attnum
has_column_privilege|26 25 25|current user privilege on column by rel oid, col name
has_column_privilege|19 26 25 25|user privilege on column by username, rel oid, col name
has_column_privilege|26 21 25|current user privilege on column by rel oid, col attnum
has_column_privilege|19 26 21 25|user privilege on column by username, rel oid, col attnum
pg_has_role|19 25|current user privilege on role by role name
pg_has_role|19 19 25|user privilege on role by username, role name
pg_has_role|26 25|current user privilege on role by role oid
pg_has_role|19 26 25|user privilege on role by username, role oid
enum_first|3500|first value of the input enum type
enum_last|3500|last value of the input enum type
enum_range|3500|range of the given enum type, as an ordered array
enum_range|3500 3500|range between the two given enum values, as an ordered array
int2|23|convert int4 to int2
int2|20|convert int8 to int2
int2|700|convert float4 to int2
int2|701|convert float8 to int2
int2|1700|convert numeric to int2
int4|21|convert int2 to int4
int4|20|convert int8 to int4
int4|700|convert float4 to int4
int4|701|convert float8 to int4
int4|1700|convert numeric to int4
int4|16|convert boolean to int4
int4|18|convert char to int4
int8|21|convert int2 to int8
int8|23|convert int4 to int8
int8|700|convert float4 to int8
int8|701|convert float8 to int8
int8|1700|convert numeric to int8
int8|26|convert oid to int8
float4|21|convert int2 to float4
float4|23|convert int4 to float4
float4|20|convert int8 to float4
float4|701|convert float8 to float4
float4|1700|convert numeric to float4
float8|21|convert int2 to float8
float8|23|convert int4 to float8
float8|20|convert int8 to float8
float8|700|convert float4 to float8
float8|1700|convert numeric to float8
numeric|21|convert int2 to numeric
numeric|23|convert int4 to numeric
numeric|20|convert int8 to numeric
numeric|700|convert float4 to numeric
numeric|701|convert float8 to numeric
bool|23|convert int4 to boolean
text|16|convert boolean to text
text|1042|convert char(n) to text
text|19|convert name to text
text|18|convert char to text
varchar|19|convert name to varchar
bpchar|19|convert name to char(n)
bpchar|18|convert char to char(n)
name|25|convert text to name
name|1043|convert varchar to name
name|1042|convert char(n) to name
char|23|convert int4 to char
char|25|convert text to char
oid|20|convert int8 to oid
date|1114|convert timestamp to date
date|1184|convert timestamp with time zone to date
time|1114|convert timestamp to time
time|1184|convert timestamp with time zone to time
time|1266|convert time with time zone to time
time|1186|convert interval to time
timetz|1083|convert time to time with time zone
timetz|1184|convert timestamp with time zone to time with time zone
timestamp|1082|convert date to timestamp
timestamp|1184|convert timestamp with time zone to timestamp
timestamptz|1082|convert date to timestamp with time zone
timestamptz|1114|convert timestamp to timestamp with time zone
interval|1083|convert time to interval
regclass|25|convert text to regclass
json_object_field|114 25|implementation of -> operator
json_object_field_text|114 25|implementation of ->> operator
json_array_element|114 23|implementation of -> operator
json_array_element_text|114 23|implementation of ->> operator
json_extract_path|114 25|get value from json with path elements
json_extract_path_text|114 25|get value from json as text with path elements
json_typeof|114|get the type of a json value
json_array_length|114|length of json array
jsonb_object_field|3802 25|implementation of -> operator
jsonb_object_field_text|3802 25|implementation of ->> operator
jsonb_array_element|3802 23|implementation of -> operator
jsonb_array_element_text|3802 23|implementation of ->> operator
jsonb_extract_path|3802 25|get value from jsonb with path elements
jsonb_extract_path_text|3802 25|get value from jsonb as text with path elements
jsonb_typeof|3802|get the type of a jsonb value
jsonb_array_length|3802|length of jsonb array
jsonb_contains|3802 3802|implementation of @> operator
jsonb_contained|3802 3802|implementation of <@ operator
jsonb_exists|3802 25|implementation of ? operator
jsonb_exists_any|3802 1009|implementation of ?| operator
jsonb_exists_all|3802 1009|implementation of ?& operator
jsonb_cmp|3802 3802|less-equal-greater
jsonb_concat|3802 3802|implementation of || operator
jsonb_delete|3802 25|implementation of - operator
jsonb_delete|3802 23|implementation of - operator
jsonb_delete|3802 1009|implementation of - operator
jsonb_delete_path|3802 1009|implementation of #- operator
jsonb_set|3802 1009 3802|Set part of a jsonb
jsonb_insert|3802 1009 3802|Insert value into a jsonb
jsonb_set|3802 1009 3802 16|Set part of a jsonb
jsonb_insert|3802 1009 3802 16|Insert value into a jsonb
jsonb_set_lax|3802 1009 3802 16 25|Set part of a jsonb, handle NULL value
jsonb_strip_nulls|3802|remove object fields with null values from jsonb
json_strip_nulls|114|remove object fields with null values from json
jsonb_pretty|3802|Indented text from jsonb
to_json|2283|map input to json
to_jsonb|2283|map input to jsonb
array_to_json|2277|map array to json
array_to_json|2277 16|map array to json with optional pretty printing
row_to_json|2249|map row to json
row_to_json|2249 16|map row to json with optional pretty printing
json_build_object||build an empty json object
jsonb_build_object||build an empty jsonb object
json_build_array||build an empty json array
jsonb_build_array||build an empty jsonb array
json_build_object|2276|build a json object from pairwise key/value inputs
jsonb_build_object|2276|build a jsonb object from pairwise key/value inputs
json_build_array|2276|build a json array from any inputs
jsonb_build_array|2276|build a jsonb array from any inputs
json_object|1009|map text array of key value pairs to json object
jsonb_object|1009|map text array of key value pairs to jsonb object
json_object|1009 1009|map text arrays of keys and values to json object
jsonb_object|1009 1009|map text array of key value pairs to jsonb object
json_populate_record|2283 114|get record fields from a json object
jsonb_populate_record|2283 3802|get record fields from a jsonb object
jsonb_path_exists|3802 4072 3802 16|jsonpath exists test
jsonb_path_match|3802 4072 3802 16|jsonpath match
jsonb_path_query_array|3802 4072 3802 16|jsonpath query wrapped into array
jsonb_path_query_first|3802 4072 3802 16|jsonpath query first item
jsonb_path_exists_tz|3802 4072 3802 16|jsonpath exists test with timezone
jsonb_path_match_tz|3802 4072 3802 16|jsonpath match with timezone
jsonb_path_query_array_tz|3802 4072 3802 16|jsonpath query wrapped into array with timezone
jsonb_path_query_first_tz|3802 4072 3802 16|jsonpath query first item with timezone
jsonb_path_exists_opr|3802 4072|implementation of @? operator
jsonb_path_match_opr|3802 4072|implementation of @@ operator
count||number of input rows
count|2276|number of input rows for which the input expression is not null
sum|21|sum as bigint across all smallint input values
sum|23|sum as bigint across all integer input values
sum|20|sum as numeric across all bigint input values
sum|1700|sum as numeric across all numeric input values
sum|700|sum as float4 across all float4 input values
sum|701|sum as float8 across all float8 input values
sum|1186|sum as interval across all interval input values
avg|21|the average (arithmetic mean) as numeric of all smallint values
avg|23|the average (arithmetic mean) as numeric of all integer values
avg|20|the average (arithmetic mean) as numeric of all bigint values
avg|1700|the average (arithmetic mean) as numeric of all numeric values
avg|700|the average (arithmetic mean) as float8 of all float4 values
avg|701|the average (arithmetic mean) as float8 of all float8 values
avg|1186|the average (arithmetic mean) as interval of all interval values
min|21|minimum value of all smallint input values
max|21|maximum value of all smallint input values
min|23|minimum value of all integer input values
max|23|maximum value of all integer input values
min|20|minimum value of all bigint input values
max|20|maximum value of all bigint input values
min|26|minimum value of all oid input values
max|26|maximum value of all oid input values
min|700|minimum value of all float4 input values
max|700|maximum value of all float4 input values
min|701|minimum value of all float8 input values
max|701|maximum value of all float8 input values
min|1700|minimum value of all numeric input values
max|1700|maximum value of all numeric input values
min|25|minimum value of all text values
max|25|maximum value of all text input values
min|1042|minimum value of all bpchar input values
max|1042|maximum value of all bpchar input values
min|1082|minimum value of all date input values
max|1082|maximum value of all date input values
min|1083|minimum value of all time input values
max|1083|maximum value of all time input values
min|1266|minimum value of all time with time zone input values
max|1266|maximum value of all time with time zone input values
min|1114|minimum value of all timestamp input values
max|1114|maximum value of all timestamp input values
min|1184|minimum value of all timestamp with time zone input values
max|1184|maximum value of all timestamp with time zone input values
min|1186|minimum value of all interval input values
max|1186|maximum value of all interval input values
min|3500|minimum value of all enum input values
max|3500|maximum value of all enum input values
bool_and|16|boolean-and aggregate
every|16|boolean-and aggregate
bool_or|16|boolean-or aggregate
bit_and|21|bitwise-and smallint aggregate
bit_or|21|bitwise-or smallint aggregate
bit_xor|21|bitwise-xor smallint aggregate
bit_and|23|bitwise-and integer aggregate
bit_or|23|bitwise-or integer aggregate
bit_xor|23|bitwise-xor integer aggregate
bit_and|20|bitwise-and bigint aggregate
bit_or|20|bitwise-or bigint aggregate
bit_xor|20|bitwise-xor bigint aggregate
stddev|21|historical alias for stddev_samp
stddev|23|historical alias for stddev_samp
stddev|20|historical alias for stddev_samp
stddev|1700|historical alias for stddev_samp
stddev|700|historical alias for stddev_samp
stddev|701|historical alias for stddev_samp
stddev_samp|21|sample standard deviation of smallint input values
stddev_samp|23|sample standard deviation of integer input values
stddev_samp|20|sample standard deviation of bigint input values
stddev_samp|1700|sample standard deviation of numeric input values
stddev_samp|700|sample standard deviation of float4 input values
stddev_samp|701|sample standard deviation of float8 input values
stddev_pop|21|population standard deviation of smallint input values
stddev_pop|23|population standard deviation of integer input values
stddev_pop|20|population standard deviation of bigint input values
stddev_pop|1700|population standard deviation of numeric input values
stddev_pop|700|population standard deviation of float4 input values
stddev_pop|701|population standard deviation of float8 input values
variance|21|historical alias for var_samp
variance|23|historical alias for var_samp
variance|20|historical alias for var_samp
variance|1700|historical alias for var_samp
variance|700|historical alias for var_samp
variance|701|historical alias for var_samp
var_samp|21|sample variance of smallint input values (square of the sample standard deviation)
var_samp|23|sample variance of integer input values (square of the sample standard deviation)
var_samp|20|sample variance of bigint input values (square of the sample standard deviation)
var_samp|1700|sample variance of numeric input values (square of the sample standard deviation)
var_samp|700|sample variance of float4 input values (square of the sample standard deviation)
var_samp|701|sample variance of float8 input values (square of the sample standard deviation)
var_pop|21|population variance of smallint input values (square of the population standard deviation)
var_pop|23|population variance of integer input values (square of the population standard deviation)
var_pop|20|population variance of bigint input values (square of the population standard deviation)
var_pop|1700|population variance of numeric input values (square of the population standard deviation)
var_pop|700|population variance of float4 input values (square of the population standard deviation)
var_pop|701|population variance of float8 input values (square of the population standard deviation)
regr_count|701 701|number of input rows in which both expressions are not null
regr_sxx|701 701|sum of squares of the independent variable (sum(X^2) - sum(X)^2/N)
regr_syy|701 701|sum of squares of the dependent variable (sum(Y^2) - sum(Y)^2/N)
regr_sxy|701 701|sum of products of independent times dependent variable (sum(X*Y) - sum(X) * sum(Y)/N)
regr_avgx|701 701|average of the independent variable (sum(X)/N)
regr_avgy|701 701|average of the dependent variable (sum(Y)/N)
covar_pop|701 701|population covariance
covar_samp|701 701|sample covariance
corr|701 701|correlation coefficient
regr_r2|701 701|square of the correlation coefficient
regr_slope|701 701|slope of the least-squares-fit linear equation determined by the (X, Y) pairs
regr_intercept|701 701|y-intercept of the least-squares-fit linear equation determined by the (X, Y) pairs
min|2277|minimum value of all anyarray input values
max|2277|maximum value of all anyarray input values
string_agg|25 25|concatenate aggregate input into a string
string_agg|17 17|concatenate aggregate input into a bytea
array_agg|2776|concatenate aggregate input into an array
array_agg|2277|concatenate aggregate input into an array
json_agg|2283|aggregate input into json
jsonb_agg|2283|aggregate input into jsonb
json_object_agg|2276 2276|aggregate input into a json object
jsonb_object_agg|2276 2276|aggregate inputs into jsonb object
percentile_cont|701 701|continuous distribution percentile
percentile_cont|701 1186|continuous distribution percentile
percentile_cont|1022 701|multiple continuous percentiles
percentile_cont|1022 1186|multiple continuous percentiles
percentile_disc|701 2283|discrete percentile
percentile_disc|1022 2283|multiple discrete percentiles
mode|2283|most common value
rank|2276|rank of hypothetical row
dense_rank|2276|rank of hypothetical row without gaps
percent_rank|2276|fractional rank of hypothetical row
cume_dist|2276|cumulative distribution of hypothetical row
generate_series|23 23|non-persistent series generator
generate_series|23 23 23|non-persistent series generator
generate_series|20 20|non-persistent series generator
generate_series|20 20 20|non-persistent series generator
generate_series|1700 1700|non-persistent series generator
generate_series|1700 1700 1700|non-persistent series generator
generate_series|1114 1114 1186|non-persistent series generator
generate_series|1184 1184 1186|non-persistent series generator
generate_subscripts|2277 23|array subscripts generator
generate_subscripts|2277 23 16|array subscripts generator
string_to_table|25 25|split delimited text
string_to_table|25 25 25|split delimited text, with null string
unnest|2277|expand array to set of rows
pg_options_to_table|1009|convert generic options array to name/value table
pg_listening_channels||get the channels that the current backend listens to
pg_partition_ancestors|2205|view ancestors of the partition
pg_partition_tree|2205|view partition tree tables
regexp_matches|25 25|find match(es) for regexp
regexp_matches|25 25 25|find match(es) for regexp
regexp_split_to_table|25 25|split string by pattern
regexp_split_to_table|25 25 25|split string by pattern
json_array_elements|114|key value pairs of a json object
json_array_elements_text|114|elements of json array
json_each|114|key value pairs of a json object
json_each_text|114|key value pairs of a json object
json_object_keys|114|get json object keys
jsonb_array_elements|3802|elements of a jsonb array
jsonb_array_elements_text|3802|elements of jsonb array
jsonb_each|3802|key value pairs of a jsonb object
jsonb_each_text|3802|key value pairs of a jsonb object
jsonb_object_keys|3802|get jsonb object keys
json_to_record|114|get record fields from a json object
json_to_recordset|114|get set of records with fields from a json array of objects
jsonb_to_record|3802|get record fields from a jsonb object
jsonb_to_recordset|3802|get set of records with fields from a jsonb array of objects
json_populate_recordset|2283 114|get set of records with fields from a json array of objects
jsonb_populate_recordset|2283 3802|get set of records with fields from a jsonb array of objects
jsonb_path_query|3802 4072|jsonpath query
jsonb_path_query|3802 4072 3802|jsonpath query
jsonb_path_query|3802 4072 3802 16|jsonpath query
jsonb_path_query_tz|3802 4072|jsonpath query with timezone
jsonb_path_query_tz|3802 4072 3802|jsonpath query with timezone
jsonb_path_query_tz|3802 4072 3802 16|jsonpath query with timezone
aclexplode|1034|convert ACL item array to table, primarily for use by information schema
pg_get_keywords||list of SQL keywords
pg_timezone_names||get the available time zone names
pg_timezone_abbrevs||get the available time zone abbreviations
row_number||row number within partition
rank||integer rank with gaps
dense_rank||integer rank without gaps
percent_rank||fractional rank within partition
cume_dist||fractional row number within partition
ntile|23|split rows into N groups
lag|2283 23|fetch the Nth preceding row value
lag|5077 23 5077|fetch the Nth preceding row value with default
lead|2283 23|fetch the Nth following row value
lead|5077 23 5077|fetch the Nth following row value with default
first_value|2283|fetch the first row value
last_value|2283|fetch the last row value
nth_value|2283 23|fetch the Nth row value
enum_in|2281|I/O
enum_out|2281|I/O
enum_recv|2281|I/O
enum_send|2281|I/O
domain_in|2281|I/O
domain_recv|2281|I/O
`;

/** Name, and what it is. */
export const methodDescriptions = `
btree|b-tree index access method
heap|heap table access method
`;

/** Likewise. */
export const collationDescriptions = `
C|standard C collation
POSIX|standard POSIX collation
default|database's default collation
`;
