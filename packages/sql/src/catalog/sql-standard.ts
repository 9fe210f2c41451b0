/**
 * What of the SQL standard there is: the tables sql_features, sql_implementation_info, sql_parts and sql_sizing of information_schema, as
 * PostgreSQL 15 fills them. What it has and Quorate has not (triggers, routines, XML, MERGE, views of rights) stands as not supported.
 */
import type { SystemRow } from "./system-table.ts";

/** feature_id, sub_feature_id, Y or N, feature_name, sub_feature_name, comments; what is empty at the end is left out. */
const features = `
B011||N|Embedded Ada
B012||Y|Embedded C
B013||N|Embedded COBOL
B014||N|Embedded Fortran
B015||N|Embedded MUMPS
B016||N|Embedded Pascal
B017||N|Embedded PL/I
B021||Y|Direct SQL
B031||N|Basic dynamic SQL
B032||N|Extended dynamic SQL
B032|01|N|Extended dynamic SQL|<describe input statement>
B033||N|Untyped SQL-invoked function arguments
B034||N|Dynamic specification of cursor attributes
B035||N|Non-extended descriptor names
B041||N|Extensions to embedded SQL exception declarations
B051||N|Enhanced execution rights
B111||N|Module language Ada
B112||N|Module language C
B113||N|Module language COBOL
B114||N|Module language Fortran
B115||N|Module language MUMPS
B116||N|Module language Pascal
B117||N|Module language PL/I
B121||N|Routine language Ada
B122||N|Routine language C
B123||N|Routine language COBOL
B124||N|Routine language Fortran
B125||N|Routine language MUMPS
B126||N|Routine language Pascal
B127||N|Routine language PL/I
B128||N|Routine language SQL
B200||N|Polymorphic table functions
B201||N|More than one PTF generic table parameter
B202||N|PTF Copartitioning
B203||N|More than one copartition specification
B204||N|PRUNE WHEN EMPTY
B205||N|Pass-through columns
B206||N|PTF descriptor parameters
B207||N|Cross products of partitionings
B208||N|PTF component procedure interface
B209||N|PTF extended names
B211||N|Module language Ada: VARCHAR and NUMERIC support
B221||N|Routine language Ada: VARCHAR and NUMERIC support
E011||Y|Numeric data types
E011|01|Y|Numeric data types|INTEGER and SMALLINT data types
E011|02|Y|Numeric data types|REAL, DOUBLE PRECISION, and FLOAT data types
E011|03|Y|Numeric data types|DECIMAL and NUMERIC data types
E011|04|Y|Numeric data types|Arithmetic operators
E011|05|Y|Numeric data types|Numeric comparison
E011|06|Y|Numeric data types|Implicit casting among the numeric data types
E021||Y|Character data types
E021|01|Y|Character string types|CHARACTER data type
E021|02|Y|Character string types|CHARACTER VARYING data type
E021|03|Y|Character string types|Character literals
E021|04|Y|Character string types|CHARACTER_LENGTH function|trims trailing spaces from CHARACTER values before counting
E021|05|Y|Character string types|OCTET_LENGTH function
E021|06|Y|Character string types|SUBSTRING function
E021|07|Y|Character string types|Character concatenation
E021|08|Y|Character string types|UPPER and LOWER functions
E021|09|Y|Character string types|TRIM function
E021|10|Y|Character string types|Implicit casting among the character string types
E021|11|Y|Character string types|POSITION function
E021|12|Y|Character string types|Character comparison
E031||Y|Identifiers
E031|01|Y|Identifiers|Delimited identifiers
E031|02|Y|Identifiers|Lower case identifiers
E031|03|Y|Identifiers|Trailing underscore
E051||Y|Basic query specification
E051|01|Y|Basic query specification|SELECT DISTINCT
E051|02|Y|Basic query specification|GROUP BY clause
E051|04|Y|Basic query specification|GROUP BY can contain columns not in <select list>
E051|05|Y|Basic query specification|Select list items can be renamed
E051|06|Y|Basic query specification|HAVING clause
E051|07|Y|Basic query specification|Qualified * in select list
E051|08|Y|Basic query specification|Correlation names in the FROM clause
E051|09|Y|Basic query specification|Rename columns in the FROM clause
E061||Y|Basic predicates and search conditions
E061|01|Y|Basic predicates and search conditions|Comparison predicate
E061|02|Y|Basic predicates and search conditions|BETWEEN predicate
E061|03|Y|Basic predicates and search conditions|IN predicate with list of values
E061|04|Y|Basic predicates and search conditions|LIKE predicate
E061|05|Y|Basic predicates and search conditions|LIKE predicate ESCAPE clause
E061|06|Y|Basic predicates and search conditions|NULL predicate
E061|07|Y|Basic predicates and search conditions|Quantified comparison predicate
E061|08|Y|Basic predicates and search conditions|EXISTS predicate
E061|09|Y|Basic predicates and search conditions|Subqueries in comparison predicate
E061|11|Y|Basic predicates and search conditions|Subqueries in IN predicate
E061|12|Y|Basic predicates and search conditions|Subqueries in quantified comparison predicate
E061|13|Y|Basic predicates and search conditions|Correlated subqueries
E061|14|Y|Basic predicates and search conditions|Search condition
E071||Y|Basic query expressions
E071|01|Y|Basic query expressions|UNION DISTINCT table operator
E071|02|Y|Basic query expressions|UNION ALL table operator
E071|03|Y|Basic query expressions|EXCEPT DISTINCT table operator
E071|05|Y|Basic query expressions|Columns combined via table operators need not have exactly the same data type
E071|06|Y|Basic query expressions|Table operators in subqueries
E081||Y|Basic Privileges
E081|01|Y|Basic Privileges|SELECT privilege
E081|02|Y|Basic Privileges|DELETE privilege
E081|03|Y|Basic Privileges|INSERT privilege at the table level
E081|04|Y|Basic Privileges|UPDATE privilege at the table level
E081|05|Y|Basic Privileges|UPDATE privilege at the column level
E081|06|Y|Basic Privileges|REFERENCES privilege at the table level
E081|07|Y|Basic Privileges|REFERENCES privilege at the column level
E081|08|Y|Basic Privileges|WITH GRANT OPTION
E081|09|Y|Basic Privileges|USAGE privilege
E081|10|N|Basic Privileges|EXECUTE privilege
E091||Y|Set functions
E091|01|Y|Set functions|AVG
E091|02|Y|Set functions|COUNT
E091|03|Y|Set functions|MAX
E091|04|Y|Set functions|MIN
E091|05|Y|Set functions|SUM
E091|06|Y|Set functions|ALL quantifier
E091|07|Y|Set functions|DISTINCT quantifier
E101||Y|Basic data manipulation
E101|01|Y|Basic data manipulation|INSERT statement
E101|03|Y|Basic data manipulation|Searched UPDATE statement
E101|04|Y|Basic data manipulation|Searched DELETE statement
E111||Y|Single row SELECT statement
E121||Y|Basic cursor support
E121|01|Y|Basic cursor support|DECLARE CURSOR
E121|02|Y|Basic cursor support|ORDER BY columns need not be in select list
E121|03|Y|Basic cursor support|Value expressions in ORDER BY clause
E121|04|Y|Basic cursor support|OPEN statement
E121|06|Y|Basic cursor support|Positioned UPDATE statement
E121|07|Y|Basic cursor support|Positioned DELETE statement
E121|08|Y|Basic cursor support|CLOSE statement
E121|10|Y|Basic cursor support|FETCH statement implicit NEXT
E121|17|Y|Basic cursor support|WITH HOLD cursors
E131||Y|Null value support (nulls in lieu of values)
E141||Y|Basic integrity constraints
E141|01|Y|Basic integrity constraints|NOT NULL constraints
E141|02|Y|Basic integrity constraints|UNIQUE constraints of NOT NULL columns
E141|03|Y|Basic integrity constraints|PRIMARY KEY constraints
E141|04|Y|Basic integrity constraints|Basic FOREIGN KEY constraint with the NO ACTION default for both referential delete action and referential update action
E141|06|Y|Basic integrity constraints|CHECK constraints
E141|07|Y|Basic integrity constraints|Column defaults
E141|08|Y|Basic integrity constraints|NOT NULL inferred on PRIMARY KEY
E141|10|Y|Basic integrity constraints|Names in a foreign key can be specified in any order
E151||Y|Transaction support
E151|01|Y|Transaction support|COMMIT statement
E151|02|Y|Transaction support|ROLLBACK statement
E152||Y|Basic SET TRANSACTION statement
E152|01|Y|Basic SET TRANSACTION statement|SET TRANSACTION statement: ISOLATION LEVEL SERIALIZABLE clause
E152|02|Y|Basic SET TRANSACTION statement|SET TRANSACTION statement: READ ONLY and READ WRITE clauses
E153||Y|Updatable queries with subqueries
E161||Y|SQL comments using leading double minus
E171||Y|SQLSTATE support
E182||Y|Host language binding
F021||Y|Basic information schema
F021|01|Y|Basic information schema|COLUMNS view
F021|02|Y|Basic information schema|TABLES view
F021|03|Y|Basic information schema|VIEWS view
F021|04|Y|Basic information schema|TABLE_CONSTRAINTS view
F021|05|Y|Basic information schema|REFERENTIAL_CONSTRAINTS view
F021|06|Y|Basic information schema|CHECK_CONSTRAINTS view
F031||Y|Basic schema manipulation
F031|01|Y|Basic schema manipulation|CREATE TABLE statement to create persistent base tables
F031|02|Y|Basic schema manipulation|CREATE VIEW statement
F031|03|Y|Basic schema manipulation|GRANT statement
F031|04|Y|Basic schema manipulation|ALTER TABLE statement: ADD COLUMN clause
F031|13|Y|Basic schema manipulation|DROP TABLE statement: RESTRICT clause
F031|16|Y|Basic schema manipulation|DROP VIEW statement: RESTRICT clause
F031|19|Y|Basic schema manipulation|REVOKE statement: RESTRICT clause
F032||Y|CASCADE drop behavior
F033||Y|ALTER TABLE statement: DROP COLUMN clause
F034||Y|Extended REVOKE statement
F034|01|Y|Extended REVOKE statement|REVOKE statement performed by other than the owner of a schema object
F034|02|Y|Extended REVOKE statement|REVOKE statement: GRANT OPTION FOR clause
F034|03|Y|Extended REVOKE statement|REVOKE statement to revoke a privilege that the grantee has WITH GRANT OPTION
F041||Y|Basic joined table
F041|01|Y|Basic joined table|Inner join (but not necessarily the INNER keyword)
F041|02|Y|Basic joined table|INNER keyword
F041|03|Y|Basic joined table|LEFT OUTER JOIN
F041|04|Y|Basic joined table|RIGHT OUTER JOIN
F041|05|Y|Basic joined table|Outer joins can be nested
F041|07|Y|Basic joined table|The inner table in a left or right outer join can also be used in an inner join
F041|08|Y|Basic joined table|All comparison operators are supported (rather than just =)
F051||Y|Basic date and time
F051|01|Y|Basic date and time|DATE data type (including support of DATE literal)
F051|02|Y|Basic date and time|TIME data type (including support of TIME literal) with fractional seconds precision of at least 0
F051|03|Y|Basic date and time|TIMESTAMP data type (including support of TIMESTAMP literal) with fractional seconds precision of at least 0 and 6
F051|04|Y|Basic date and time|Comparison predicate on DATE, TIME, and TIMESTAMP data types
F051|05|Y|Basic date and time|Explicit CAST between datetime types and character string types
F051|06|Y|Basic date and time|CURRENT_DATE
F051|07|Y|Basic date and time|LOCALTIME
F051|08|Y|Basic date and time|LOCALTIMESTAMP
F052||Y|Intervals and datetime arithmetic
F053||Y|OVERLAPS predicate
F054||N|TIMESTAMP in DATE type precedence list
F081||Y|UNION and EXCEPT in views
F111||Y|Isolation levels other than SERIALIZABLE
F111|01|Y|Isolation levels other than SERIALIZABLE|READ UNCOMMITTED isolation level
F111|02|Y|Isolation levels other than SERIALIZABLE|READ COMMITTED isolation level
F111|03|Y|Isolation levels other than SERIALIZABLE|REPEATABLE READ isolation level
F121||N|Basic diagnostics management
F121|01|N|Basic diagnostics management|GET DIAGNOSTICS statement
F121|02|N|Basic diagnostics management|SET TRANSACTION statement: DIAGNOSTICS SIZE clause
F122||N|Enhanced diagnostics management
F123||N|All diagnostics
F131||Y|Grouped operations
F131|01|Y|Grouped operations|WHERE, GROUP BY, and HAVING clauses supported in queries with grouped views
F131|02|Y|Grouped operations|Multiple tables supported in queries with grouped views
F131|03|Y|Grouped operations|Set functions supported in queries with grouped views
F131|04|Y|Grouped operations|Subqueries with GROUP BY and HAVING clauses and grouped views
F131|05|Y|Grouped operations|Single row SELECT with GROUP BY and HAVING clauses and grouped views
F171||Y|Multiple schemas per user
F181||Y|Multiple module support
F191||Y|Referential delete actions
F200||Y|TRUNCATE TABLE statement
F201||Y|CAST function
F202||Y|TRUNCATE TABLE: identity column restart option
F221||Y|Explicit defaults
F222||Y|INSERT statement: DEFAULT VALUES clause
F231||N|Privilege tables
F231|01|N|Privilege tables|TABLE_PRIVILEGES view
F231|02|N|Privilege tables|COLUMN_PRIVILEGES view
F231|03|N|Privilege tables|USAGE_PRIVILEGES view
F251||Y|Domain support
F261||Y|CASE expression
F261|01|Y|CASE expression|Simple CASE
F261|02|Y|CASE expression|Searched CASE
F261|03|Y|CASE expression|NULLIF
F261|04|Y|CASE expression|COALESCE
F262||Y|Extended CASE expression
F263||N|Comma-separated predicates in simple CASE expression
F271||Y|Compound character literals
F281||Y|LIKE enhancements
F291||N|UNIQUE predicate
F292||Y|UNIQUE null treatment||SQL:202x draft
F301||N|CORRESPONDING in query expressions
F302||Y|INTERSECT table operator
F302|01|Y|INTERSECT table operator|INTERSECT DISTINCT table operator
F302|02|Y|INTERSECT table operator|INTERSECT ALL table operator
F304||Y|EXCEPT ALL table operator
F311||Y|Schema definition statement
F311|01|Y|Schema definition statement|CREATE SCHEMA
F311|02|Y|Schema definition statement|CREATE TABLE for persistent base tables
F311|03|Y|Schema definition statement|CREATE VIEW
F311|04|Y|Schema definition statement|CREATE VIEW: WITH CHECK OPTION
F311|05|Y|Schema definition statement|GRANT statement
F312||N|MERGE statement
F313||N|Enhanced MERGE statement
F314||N|MERGE statement with DELETE branch
F321||Y|User authorization
F341||N|Usage tables
F361||Y|Subprogram support
F381||Y|Extended schema manipulation
F381|01|Y|Extended schema manipulation|ALTER TABLE statement: ALTER COLUMN clause
F381|02|Y|Extended schema manipulation|ALTER TABLE statement: ADD CONSTRAINT clause
F381|03|Y|Extended schema manipulation|ALTER TABLE statement: DROP CONSTRAINT clause
F382||Y|Alter column data type
F383||Y|Set column not null clause
F384||Y|Drop identity property clause
F385||Y|Drop column generation expression clause
F386||Y|Set identity column generation clause
F391||Y|Long identifiers
F392||Y|Unicode escapes in identifiers
F393||Y|Unicode escapes in literals
F394||Y|Optional normal form specification
F401||Y|Extended joined table
F401|01|Y|Extended joined table|NATURAL JOIN
F401|02|Y|Extended joined table|FULL OUTER JOIN
F401|04|Y|Extended joined table|CROSS JOIN
F402||Y|Named column joins for LOBs, arrays, and multisets
F403||N|Partitioned joined tables
F404||Y|Range variable for common column names
F411||Y|Time zone specification||differences regarding literal interpretation
F421||Y|National character
F431||Y|Read-only scrollable cursors
F431|01|Y|Read-only scrollable cursors|FETCH with explicit NEXT
F431|02|Y|Read-only scrollable cursors|FETCH FIRST
F431|03|Y|Read-only scrollable cursors|FETCH LAST
F431|04|Y|Read-only scrollable cursors|FETCH PRIOR
F431|05|Y|Read-only scrollable cursors|FETCH ABSOLUTE
F431|06|Y|Read-only scrollable cursors|FETCH RELATIVE
F441||Y|Extended set function support
F442||Y|Mixed column references in set functions
F451||N|Character set definition
F461||N|Named character sets
F471||Y|Scalar subquery values
F481||Y|Expanded NULL predicate
F491||Y|Constraint management
F492||N|Optional table constraint enforcement
F501||Y|Features and conformance views
F501|01|Y|Features and conformance views|SQL_FEATURES view
F501|02|Y|Features and conformance views|SQL_SIZING view
F502||Y|Enhanced documentation tables
F521||N|Assertions
F531||Y|Temporary tables
F555||Y|Enhanced seconds precision
F561||Y|Full value expressions
F571||Y|Truth value tests
F591||Y|Derived tables
F611||Y|Indicator data types
F641||Y|Row and table constructors
F651||Y|Catalog name qualifiers
F661||Y|Simple tables
F671||N|Subqueries in CHECK||intentionally omitted
F672||Y|Retrospective check constraints
F673||N|Reads SQL-data routine invocations in CHECK constraints
F690||Y|Collation support||but no character set support
F692||Y|Extended collation support
F693||N|SQL-session and client module collations
F695||N|Translation support
F696||N|Additional translation documentation
F701||Y|Referential update actions
F711||Y|ALTER domain
F721||N|Deferrable constraints||foreign and unique keys only
F731||Y|INSERT column privileges
F741||N|Referential MATCH types||no partial match yet
F751||Y|View CHECK enhancements
F761||Y|Session management
F762||Y|CURRENT_CATALOG
F763||Y|CURRENT_SCHEMA
F771||Y|Connection management
F781||Y|Self-referencing operations
F791||Y|Insensitive cursors
F801||Y|Full set function
F812||N|Basic flagging
F813||N|Extended flagging
F821||N|Local table references
F831||N|Full cursor update
F831|01|N|Full cursor update|Updatable scrollable cursors
F831|02|N|Full cursor update|Updatable ordered cursors
F841||N|LIKE_REGEX predicate||consider regexp_like()
F842||N|OCCURRENCES_REGEX function||consider regexp_matches()
F843||N|POSITION_REGEX function||consider regexp_instr()
F844||N|SUBSTRING_REGEX function||consider regexp_substr()
F845||N|TRANSLATE_REGEX function||consider regexp_replace()
F846||N|Octet support in regular expression operators
F847||N|Nonconstant regular expressions
F850||Y|Top-level <order by clause> in <query expression>
F851||Y|<order by clause> in subqueries
F852||Y|Top-level <order by clause> in views
F855||Y|Nested <order by clause> in <query expression>
F856||Y|Nested <fetch first clause> in <query expression>
F857||Y|Top-level <fetch first clause> in <query expression>
F858||Y|<fetch first clause> in subqueries
F859||Y|Top-level <fetch first clause> in views
F860||Y|<fetch first row count> in <fetch first clause>
F861||Y|Top-level <result offset clause> in <query expression>
F862||Y|<result offset clause> in subqueries
F863||Y|Nested <result offset clause> in <query expression>
F864||Y|Top-level <result offset clause> in views
F865||Y|<offset row count> in <result offset clause>
F866||N|FETCH FIRST clause: PERCENT option
F867||Y|FETCH FIRST clause: WITH TIES option
R010||N|Row pattern recognition: FROM clause
R020||N|Row pattern recognition: WINDOW clause
R030||N|Row pattern recognition: full aggregate support
S011||N|Distinct data types
S011|01|N|Distinct data types|USER_DEFINED_TYPES view
S023||N|Basic structured types
S024||N|Enhanced structured types
S025||N|Final structured types
S026||N|Self-referencing structured types
S027||N|Create method by specific method name
S028||N|Permutable UDT options list
S041||N|Basic reference types
S043||N|Enhanced reference types
S051||N|Create table of type||partially supported
S071||Y|SQL paths in function and type name resolution
S081||N|Subtables
S091||N|Basic array support||partially supported
S091|01|Y|Basic array support|Arrays of built-in data types
S091|02|N|Basic array support|Arrays of distinct types
S091|03|Y|Basic array support|Array expressions
S092||Y|Arrays of user-defined types
S094||N|Arrays of reference types
S095||Y|Array constructors by query
S096||Y|Optional array bounds
S097||N|Array element assignment
S098||Y|ARRAY_AGG
S111||Y|ONLY in query expressions
S151||N|Type predicate||see pg_typeof()
S161||N|Subtype treatment
S162||N|Subtype treatment for references
S201||N|SQL-invoked routines on arrays
S201|01|N|SQL-invoked routines on arrays|Array parameters
S201|02|N|SQL-invoked routines on arrays|Array as result type of functions
S202||N|SQL-invoked routines on multisets
S211||N|User-defined cast functions
S231||N|Structured type locators
S232||N|Array locators
S233||N|Multiset locators
S241||N|Transform functions
S242||N|Alter transform statement
S251||N|User-defined orderings
S261||N|Specific type method
S271||N|Basic multiset support
S272||N|Multisets of user-defined types
S274||N|Multisets of reference types
S275||N|Advanced multiset support
S281||N|Nested collection types
S291||N|Unique constraint on entire row
S301||Y|Enhanced UNNEST
S401||N|Distinct types based on array types
S402||N|Distinct types based on distinct types
S403||N|ARRAY_MAX_CARDINALITY
S404||Y|TRIM_ARRAY
T011||N|Timestamp in Information Schema
T021||N|BINARY and VARBINARY data types
T022||N|Advanced support for BINARY and VARBINARY data types
T023||N|Compound binary literal
T024||N|Spaces in binary literals
T031||Y|BOOLEAN data type
T041||N|Basic LOB data type support
T041|01|N|Basic LOB data type support|BLOB data type
T041|02|N|Basic LOB data type support|CLOB data type
T041|03|N|Basic LOB data type support|POSITION, LENGTH, LOWER, TRIM, UPPER, and SUBSTRING functions for LOB data types
T041|04|N|Basic LOB data type support|Concatenation of LOB data types
T041|05|N|Basic LOB data type support|LOB locator: non-holdable
T042||N|Extended LOB data type support
T043||N|Multiplier T
T044||N|Multiplier P
T051||N|Row types
T053||N|Explicit aliases for all-fields reference
T061||N|UCS support
T071||Y|BIGINT data type
T076||N|DECFLOAT data type
T101||N|Enhanced nullability determination
T111||N|Updatable joins, unions, and columns
T121||Y|WITH (excluding RECURSIVE) in query expression
T122||Y|WITH (excluding RECURSIVE) in subquery
T131||Y|Recursive query
T132||Y|Recursive query in subquery
T133||Y|Enhanced cycle mark values||SQL:202x draft
T141||Y|SIMILAR predicate
T151||Y|DISTINCT predicate
T152||Y|DISTINCT predicate with negation
T171||Y|LIKE clause in table definition
T172||Y|AS subquery clause in table definition
T173||Y|Extended LIKE clause in table definition
T174||Y|Identity columns
T175||N|Generated columns||mostly supported
T176||N|Sequence generator support||supported except for NEXT VALUE FOR
T177||Y|Sequence generator support: simple restart option
T178||Y|Identity columns:  simple restart option
T180||N|System-versioned tables
T181||N|Application-time period tables
T191||Y|Referential action RESTRICT
T201||Y|Comparable data types for referential constraints
T211||N|Basic trigger capability
T211|01|N|Basic trigger capability|Triggers activated on UPDATE, INSERT, or DELETE of one base table
T211|02|N|Basic trigger capability|BEFORE triggers
T211|03|N|Basic trigger capability|AFTER triggers
T211|04|N|Basic trigger capability|FOR EACH ROW triggers
T211|05|N|Basic trigger capability|Ability to specify a search condition that must be true before the trigger is invoked
T211|06|N|Basic trigger capability|Support for run-time rules for the interaction of triggers and constraints
T211|07|N|Basic trigger capability|TRIGGER privilege
T211|08|N|Basic trigger capability|Multiple triggers for the same event are executed in the order in which they were created in the catalog|intentionally omitted
T212||N|Enhanced trigger capability
T213||N|INSTEAD OF triggers
T231||N|Sensitive cursors
T241||Y|START TRANSACTION statement
T251||N|SET TRANSACTION statement: LOCAL option
T261||Y|Chained transactions
T271||Y|Savepoints
T272||N|Enhanced savepoint management
T281||Y|SELECT privilege with column granularity
T285||Y|Enhanced derived column names
T301||N|Functional dependencies||partially supported
T312||Y|OVERLAY function
T321||N|Basic SQL-invoked routines||partially supported
T321|01|N|Basic SQL-invoked routines|User-defined functions with no overloading
T321|02|N|Basic SQL-invoked routines|User-defined stored procedures with no overloading
T321|03|N|Basic SQL-invoked routines|Function invocation
T321|04|N|Basic SQL-invoked routines|CALL statement
T321|05|N|Basic SQL-invoked routines|RETURN statement
T321|06|N|Basic SQL-invoked routines|ROUTINES view
T321|07|N|Basic SQL-invoked routines|PARAMETERS view
T322||N|Declared data type attributes
T323||N|Explicit security for external routines
T324||N|Explicit security for SQL routines
T325||N|Qualified SQL parameter references
T326||N|Table functions
T331||Y|Basic roles
T332||Y|Extended roles
T341||N|Overloading of SQL-invoked functions and procedures
T351||Y|Bracketed SQL comments (/*...*/ comments)
T431||Y|Extended grouping capabilities
T432||Y|Nested and concatenated GROUPING SETS
T433||Y|Multiargument GROUPING function
T434||Y|GROUP BY DISTINCT
T441||Y|ABS and MOD functions
T461||Y|Symmetric BETWEEN predicate
T471||N|Result sets return value
T472||N|DESCRIBE CURSOR
T491||Y|LATERAL derived table
T495||N|Combined data change and retrieval||different syntax
T501||Y|Enhanced EXISTS predicate
T502||N|Period predicates
T511||N|Transaction counts
T521||N|Named arguments in CALL statement
T522||N|Default values for IN parameters of SQL-invoked procedures||supported except DEFAULT key word in invocation
T523||N|Default values for INOUT parameters of SQL-invoked procedures
T524||N|Named arguments in routine invocations other than a CALL statement
T525||N|Default values for parameters of SQL-invoked functions
T551||Y|Optional key words for default syntax
T561||N|Holdable locators
T571||N|Array-returning external SQL-invoked functions
T572||N|Multiset-returning external SQL-invoked functions
T581||Y|Regular expression substring function
T591||Y|UNIQUE constraints of possibly null columns
T601||N|Local cursor references
T611||Y|Elementary OLAP operations
T612||Y|Advanced OLAP operations
T613||N|Sampling
T614||Y|NTILE function
T615||Y|LEAD and LAG functions
T616||N|Null treatment option for LEAD and LAG functions
T617||Y|FIRST_VALUE and LAST_VALUE function
T618||N|NTH_VALUE function||function exists, but some options missing
T619||N|Nested window functions
T620||Y|WINDOW clause: GROUPS option
T621||Y|Enhanced numeric functions
T622||Y|Trigonometric functions
T623||Y|General logarithm functions
T624||Y|Common logarithm functions
T625||N|LISTAGG
T631||Y|IN predicate with one list element
T641||N|Multiple column assignment||only some syntax variants supported
T651||N|SQL-schema statements in SQL routines
T652||N|SQL-dynamic statements in SQL routines
T653||N|SQL-schema statements in external routines
T654||N|SQL-dynamic statements in external routines
T655||N|Cyclically dependent routines
T811||N|Basic SQL/JSON constructor functions
T812||N|SQL/JSON: JSON_OBJECTAGG
T813||N|SQL/JSON: JSON_ARRAYAGG with ORDER BY
T814||N|Colon in JSON_OBJECT or JSON_OBJECTAGG
T821||N|Basic SQL/JSON query operators
T822||N|SQL/JSON: IS JSON WITH UNIQUE KEYS predicate
T823||N|SQL/JSON: PASSING clause
T824||N|JSON_TABLE: specific PLAN clause
T825||N|SQL/JSON: ON EMPTY and ON ERROR clauses
T826||N|General value expression in ON ERROR or ON EMPTY clauses
T827||N|JSON_TABLE: sibling NESTED COLUMNS clauses
T828||N|JSON_QUERY
T829||N|JSON_QUERY: array wrapper options
T830||N|Enforcing unique keys in SQL/JSON constructor functions
T831||Y|SQL/JSON path language: strict mode
T832||Y|SQL/JSON path language: item method
T833||Y|SQL/JSON path language: multiple subscripts
T834||Y|SQL/JSON path language: wildcard member accessor
T835||Y|SQL/JSON path language: filter expressions
T836||Y|SQL/JSON path language: starts with predicate
T837||Y|SQL/JSON path language: regex_like predicate
T838||N|JSON_TABLE: PLAN DEFAULT clause
T839||N|Formatted cast of datetimes to/from character strings
M001||N|Datalinks
M002||N|Datalinks via SQL/CLI
M003||N|Datalinks via Embedded SQL
M004||N|Foreign data support||partially supported
M005||N|Foreign schema support
M006||N|GetSQLString routine
M007||N|TransmitRequest
M009||N|GetOpts and GetStatistics routines
M010||N|Foreign data wrapper support||different API
M011||N|Datalinks via Ada
M012||N|Datalinks via C
M013||N|Datalinks via COBOL
M014||N|Datalinks via Fortran
M015||N|Datalinks via M
M016||N|Datalinks via Pascal
M017||N|Datalinks via PL/I
M018||N|Foreign data wrapper interface routines in Ada
M019||N|Foreign data wrapper interface routines in C||different API
M020||N|Foreign data wrapper interface routines in COBOL
M021||N|Foreign data wrapper interface routines in Fortran
M022||N|Foreign data wrapper interface routines in MUMPS
M023||N|Foreign data wrapper interface routines in Pascal
M024||N|Foreign data wrapper interface routines in PL/I
M030||N|SQL-server foreign data support
M031||N|Foreign data wrapper general routines
X010||N|XML type
X011||N|Arrays of XML type
X012||N|Multisets of XML type
X013||N|Distinct types of XML type
X014||N|Attributes of XML type
X015||N|Fields of XML type
X016||N|Persistent XML values
X020||N|XMLConcat
X025||N|XMLCast
X030||N|XMLDocument
X031||N|XMLElement
X032||N|XMLForest
X034||N|XMLAgg
X035||N|XMLAgg: ORDER BY option
X036||N|XMLComment
X037||N|XMLPI
X038||N|XMLText
X040||N|Basic table mapping
X041||N|Basic table mapping: nulls absent
X042||N|Basic table mapping: null as nil
X043||N|Basic table mapping: table as forest
X044||N|Basic table mapping: table as element
X045||N|Basic table mapping: with target namespace
X046||N|Basic table mapping: data mapping
X047||N|Basic table mapping: metadata mapping
X048||N|Basic table mapping: base64 encoding of binary strings
X049||N|Basic table mapping: hex encoding of binary strings
X050||N|Advanced table mapping
X051||N|Advanced table mapping: nulls absent
X052||N|Advanced table mapping: null as nil
X053||N|Advanced table mapping: table as forest
X054||N|Advanced table mapping: table as element
X055||N|Advanced table mapping: with target namespace
X056||N|Advanced table mapping: data mapping
X057||N|Advanced table mapping: metadata mapping
X058||N|Advanced table mapping: base64 encoding of binary strings
X059||N|Advanced table mapping: hex encoding of binary strings
X060||N|XMLParse: character string input and CONTENT option
X061||N|XMLParse: character string input and DOCUMENT option
X065||N|XMLParse: BLOB input and CONTENT option
X066||N|XMLParse: BLOB input and DOCUMENT option
X068||N|XMLSerialize: BOM
X069||N|XMLSerialize: INDENT
X070||N|XMLSerialize: character string serialization and CONTENT option
X071||N|XMLSerialize: character string serialization and DOCUMENT option
X072||N|XMLSerialize: character string serialization
X073||N|XMLSerialize: BLOB serialization and CONTENT option
X074||N|XMLSerialize: BLOB serialization and DOCUMENT option
X075||N|XMLSerialize: BLOB serialization
X076||N|XMLSerialize: VERSION
X077||N|XMLSerialize: explicit ENCODING option
X078||N|XMLSerialize: explicit XML declaration
X080||N|Namespaces in XML publishing
X081||N|Query-level XML namespace declarations
X082||N|XML namespace declarations in DML
X083||N|XML namespace declarations in DDL
X084||N|XML namespace declarations in compound statements
X085||N|Predefined namespace prefixes
X086||N|XML namespace declarations in XMLTable
X090||N|XML document predicate
X091||N|XML content predicate
X096||N|XMLExists||XPath 1.0 only
X100||N|Host language support for XML: CONTENT option
X101||N|Host language support for XML: DOCUMENT option
X110||N|Host language support for XML: VARCHAR mapping
X111||N|Host language support for XML: CLOB mapping
X112||N|Host language support for XML: BLOB mapping
X113||N|Host language support for XML: STRIP WHITESPACE option
X114||N|Host language support for XML: PRESERVE WHITESPACE option
X120||N|XML parameters in SQL routines
X121||N|XML parameters in external routines
X131||N|Query-level XMLBINARY clause
X132||N|XMLBINARY clause in DML
X133||N|XMLBINARY clause in DDL
X134||N|XMLBINARY clause in compound statements
X135||N|XMLBINARY clause in subqueries
X141||N|IS VALID predicate: data-driven case
X142||N|IS VALID predicate: ACCORDING TO clause
X143||N|IS VALID predicate: ELEMENT clause
X144||N|IS VALID predicate: schema location
X145||N|IS VALID predicate outside check constraints
X151||N|IS VALID predicate with DOCUMENT option
X152||N|IS VALID predicate with CONTENT option
X153||N|IS VALID predicate with SEQUENCE option
X155||N|IS VALID predicate: NAMESPACE without ELEMENT clause
X157||N|IS VALID predicate: NO NAMESPACE with ELEMENT clause
X160||N|Basic Information Schema for registered XML Schemas
X161||N|Advanced Information Schema for registered XML Schemas
X170||N|XML null handling options
X171||N|NIL ON NO CONTENT option
X181||N|XML(DOCUMENT(UNTYPED)) type
X182||N|XML(DOCUMENT(ANY)) type
X190||N|XML(SEQUENCE) type
X191||N|XML(DOCUMENT(XMLSCHEMA)) type
X192||N|XML(CONTENT(XMLSCHEMA)) type
X200||N|XMLQuery
X201||N|XMLQuery: RETURNING CONTENT
X202||N|XMLQuery: RETURNING SEQUENCE
X203||N|XMLQuery: passing a context item
X204||N|XMLQuery: initializing an XQuery variable
X205||N|XMLQuery: EMPTY ON EMPTY option
X206||N|XMLQuery: NULL ON EMPTY option
X211||N|XML 1.1 support
X221||N|XML passing mechanism BY VALUE
X222||N|XML passing mechanism BY REF||parser accepts BY REF but ignores it; passing is always BY VALUE
X231||N|XML(CONTENT(UNTYPED)) type
X232||N|XML(CONTENT(ANY)) type
X241||N|RETURNING CONTENT in XML publishing
X242||N|RETURNING SEQUENCE in XML publishing
X251||N|Persistent XML values of XML(DOCUMENT(UNTYPED)) type
X252||N|Persistent XML values of XML(DOCUMENT(ANY)) type
X253||N|Persistent XML values of XML(CONTENT(UNTYPED)) type
X254||N|Persistent XML values of XML(CONTENT(ANY)) type
X255||N|Persistent XML values of XML(SEQUENCE) type
X256||N|Persistent XML values of XML(DOCUMENT(XMLSCHEMA)) type
X257||N|Persistent XML values of XML(CONTENT(XMLSCHEMA)) type
X260||N|XML type: ELEMENT clause
X261||N|XML type: NAMESPACE without ELEMENT clause
X263||N|XML type: NO NAMESPACE with ELEMENT clause
X264||N|XML type: schema location
X271||N|XMLValidate: data-driven case
X272||N|XMLValidate: ACCORDING TO clause
X273||N|XMLValidate: ELEMENT clause
X274||N|XMLValidate: schema location
X281||N|XMLValidate with DOCUMENT option
X282||N|XMLValidate with CONTENT option
X283||N|XMLValidate with SEQUENCE option
X284||N|XMLValidate: NAMESPACE without ELEMENT clause
X286||N|XMLValidate: NO NAMESPACE with ELEMENT clause
X300||N|XMLTable||XPath 1.0 only
X301||N|XMLTable: derived column list option
X302||N|XMLTable: ordinality column option
X303||N|XMLTable: column default option
X304||N|XMLTable: passing a context item
X305||N|XMLTable: initializing an XQuery variable
X400||N|Name and identifier mapping
X410||N|Alter column data type: XML type
`;

const isYes = (letter: string | undefined): string => (letter === "Y" ? "YES" : "NO");

export const featureRows = (): SystemRow[] =>
	features
		.trim()
		.split("\n")
		.map((line) => {
			const [feature_id = "", sub_feature_id = "", supported, ...names] = line.split("|");
			const [feature_name = "", sub_feature_name = "", comments = ""] = names;
			const is_supported = isYes(supported);
			return { feature_id, feature_name, sub_feature_id, sub_feature_name, is_supported, comments };
		});

const parts: readonly (readonly [string, string])[] = [
	["1", "Framework (SQL/Framework)"],
	["2", "Foundation (SQL/Foundation)"],
	["3", "Call-Level Interface (SQL/CLI)"],
	["4", "Persistent Stored Modules (SQL/PSM)"],
	["9", "Management of External Data (SQL/MED)"],
	["10", "Object Language Bindings (SQL/OLB)"],
	["11", "Information and Definition Schema (SQL/Schemata)"],
	["13", "Routines and Types Using the Java Programming Language (SQL/JRT)"],
	["14", "XML-Related Specifications (SQL/XML)"],
	["15", "Multi-Dimensional Arrays (SQL/MDA)"],
];

export const partRows = (): SystemRow[] =>
	parts.map(([feature_id, feature_name]) => ({
		feature_id,
		feature_name,
		is_supported: "NO",
		comments: "",
	}));

const nameBytesMax = 63;
const lessOfOthers = "Might be less, depending on character set.";

/** Undefined: unknown. 0: there is no fixed limit. */
const sizes: readonly (readonly [number, string, number?])[] = [
	[34, "MAXIMUM CATALOG NAME LENGTH", nameBytesMax],
	[30, "MAXIMUM COLUMN NAME LENGTH", nameBytesMax],
	[97, "MAXIMUM COLUMNS IN GROUP BY", 0],
	[99, "MAXIMUM COLUMNS IN ORDER BY", 0],
	[100, "MAXIMUM COLUMNS IN SELECT", 1664],
	[101, "MAXIMUM COLUMNS IN TABLE", 1600],
	[1, "MAXIMUM CONCURRENT ACTIVITIES", 0],
	[31, "MAXIMUM CURSOR NAME LENGTH", nameBytesMax],
	[0, "MAXIMUM DRIVER CONNECTIONS"],
	[10005, "MAXIMUM IDENTIFIER LENGTH", nameBytesMax],
	[32, "MAXIMUM SCHEMA NAME LENGTH", nameBytesMax],
	[20000, "MAXIMUM STATEMENT OCTETS", 0],
	[20001, "MAXIMUM STATEMENT OCTETS DATA", 0],
	[20002, "MAXIMUM STATEMENT OCTETS SCHEMA", 0],
	[35, "MAXIMUM TABLE NAME LENGTH", nameBytesMax],
	[106, "MAXIMUM TABLES IN SELECT", 0],
	[107, "MAXIMUM USER NAME LENGTH", nameBytesMax],
	[25000, "MAXIMUM CURRENT DEFAULT TRANSFORM GROUP LENGTH"],
	[25001, "MAXIMUM CURRENT TRANSFORM GROUP LENGTH"],
	[25002, "MAXIMUM CURRENT PATH LENGTH", 0],
	[25003, "MAXIMUM CURRENT ROLE LENGTH"],
	[25004, "MAXIMUM SESSION USER LENGTH", nameBytesMax],
	[25005, "MAXIMUM SYSTEM USER LENGTH", nameBytesMax],
];

export const sizingRows = (): SystemRow[] =>
	sizes.map(([sizing_id, sizing_name, supported_value]) => ({
		sizing_id,
		sizing_name,
		supported_value: supported_value ?? null,
		comments: supported_value === nameBytesMax ? lessOfOthers : null,
	}));

const implementation: readonly (readonly [
	string,
	string,
	number | null,
	string | null,
	string?,
])[] = [
	["10003", "CATALOG NAME", null, "Y"],
	["10004", "COLLATING SEQUENCE", null, "C"],
	["23", "CURSOR COMMIT BEHAVIOR", 1, null, "close cursors and retain prepared statements"],
	["2", "DATA SOURCE NAME", null, ""],
	["17", "DBMS NAME", null, "PostgreSQL"],
	["18", "DBMS VERSION", null, "15.00.0000"],
	["26", "DEFAULT TRANSACTION ISOLATION", 8, null, "SERIALIZABLE; user-settable"],
	["28", "IDENTIFIER CASE", 3, null, "stored in mixed case - case sensitive"],
	["85", "NULL COLLATION", 0, null, "nulls higher than non-nulls"],
	["13", "SERVER NAME", null, ""],
	["94", "SPECIAL CHARACTERS", null, "", "all non-ASCII characters allowed"],
	["46", "TRANSACTION CAPABLE", 2, null, "both DML and DDL"],
];

export const implementationRows = (): SystemRow[] =>
	implementation.map(([id, name, integer_value, character_value, comments]) => ({
		implementation_info_id: id,
		implementation_info_name: name,
		integer_value,
		character_value,
		comments: comments ?? null,
	}));
