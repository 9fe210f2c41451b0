SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE IF NOT EXISTS "drizzle"."__drizzle_migrations" (
				id SERIAL PRIMARY KEY,
				hash text NOT NULL,
				created_at bigint
			);

select id, hash, created_at from "drizzle"."__drizzle_migrations" order by created_at desc limit 1;

begin;

CREATE TABLE "dz_posts" (
	"id" bigint PRIMARY KEY NOT NULL,
	"body" text,
	"ok" boolean DEFAULT false,
	"uid" integer,
	CONSTRAINT "ck" CHECK ("dz_posts"."id" > 0)
);

ALTER TABLE "dz_posts" ADD CONSTRAINT "dz_posts_uid_dz_users_id_fk" FOREIGN KEY ("uid") REFERENCES "public"."dz_users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "dz_body" ON "dz_posts" USING btree ("body");

insert into "drizzle"."__drizzle_migrations" ("hash", "created_at") values($1, $2);

commit;

SELECT 
    n.nspname AS table_schema, 
    c.relname AS table_name, 
    CASE 
        WHEN c.relkind = 'r' THEN 'table'
        WHEN c.relkind = 'v' THEN 'view'
        WHEN c.relkind = 'm' THEN 'materialized_view'
    END AS type,
	c.relrowsecurity AS rls_enabled
FROM 
    pg_catalog.pg_class c
JOIN 
    pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE 
	c.relkind IN ('r', 'v', 'm') 
     AND n.nspname = 'public';

select s.nspname as table_schema
  from pg_catalog.pg_namespace s
  join pg_catalog.pg_user u on u.usesysid = s.nspowner
  where nspname not in ('information_schema', 'pg_catalog', 'public')
        and nspname not like 'pg_toast%'
        and nspname not like 'pg_temp_%'
  order by table_schema;

select schemaname, sequencename, start_value, min_value, max_value, increment_by, cycle, cache_size from pg_sequences as seq WHERE schemaname = 'public';

select n.nspname as enum_schema,
  t.typname as enum_name,
  e.enumlabel as enum_value,
  e.enumsortorder as sort_order
  from pg_type t
  join pg_enum e on t.oid = e.enumtypid
  join pg_catalog.pg_namespace n ON n.oid = t.typnamespace
   WHERE n.nspname = 'public'
  order by enum_schema, enum_name, sort_order;

SELECT rolname, rolinherit, rolcreatedb, rolcreaterole FROM pg_roles;

SELECT schemaname, tablename, policyname as name, permissive as "as", roles as to, cmd as for, qual as using, with_check as "withCheck" FROM pg_policies WHERE schemaname = 'public';

SELECT 
    a.attrelid::regclass::text AS table_name,  -- Table, view, or materialized view name
    a.attname AS column_name,   -- Column name
    CASE 
        WHEN NOT a.attisdropped THEN 
            CASE 
                WHEN a.attnotnull THEN 'NO'
                ELSE 'YES'
            END 
        ELSE NULL 
    END AS is_nullable,  -- NULL or NOT NULL constraint
    a.attndims AS array_dimensions,  -- Array dimensions
    CASE 
        WHEN a.atttypid = ANY ('{int,int8,int2}'::regtype[]) 
        AND EXISTS (
            SELECT FROM pg_attrdef ad
            WHERE ad.adrelid = a.attrelid 
            AND ad.adnum = a.attnum 
            AND pg_get_expr(ad.adbin, ad.adrelid) = 'nextval(''' 
                || pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass || '''::regclass)'
        )
        THEN CASE a.atttypid
            WHEN 'int'::regtype THEN 'serial'
            WHEN 'int8'::regtype THEN 'bigserial'
            WHEN 'int2'::regtype THEN 'smallserial'
        END
        ELSE format_type(a.atttypid, a.atttypmod)
    END AS data_type,  -- Column data type
--    ns.nspname AS type_schema,  -- Schema name
    pg_get_serial_sequence('"public"."dz_users"', a.attname)::regclass AS seq_name,  -- Serial sequence (if any)
    c.column_default,  -- Column default value
    c.data_type AS additional_dt,  -- Data type from information_schema
    c.udt_name AS enum_name,  -- Enum type (if applicable)
    c.is_generated,  -- Is it a generated column?
    c.generation_expression,  -- Generation expression (if generated)
    c.is_identity,  -- Is it an identity column?
    c.identity_generation,  -- Identity generation strategy (ALWAYS or BY DEFAULT)
    c.identity_start,  -- Start value of identity column
    c.identity_increment,  -- Increment for identity column
    c.identity_maximum,  -- Maximum value for identity column
    c.identity_minimum,  -- Minimum value for identity column
    c.identity_cycle,  -- Does the identity column cycle?
    enum_ns.nspname AS type_schema  -- Schema of the enum type
FROM 
    pg_attribute a
JOIN 
    pg_class cls ON cls.oid = a.attrelid  -- Join pg_class to get table/view/materialized view info
JOIN 
    pg_namespace ns ON ns.oid = cls.relnamespace  -- Join namespace to get schema info
LEFT JOIN 
    information_schema.columns c ON c.column_name = a.attname 
        AND c.table_schema = ns.nspname 
        AND c.table_name = cls.relname  -- Match schema and table/view name
LEFT JOIN 
    pg_type enum_t ON enum_t.oid = a.atttypid  -- Join to get the type info
LEFT JOIN 
    pg_namespace enum_ns ON enum_ns.oid = enum_t.typnamespace  -- Join to get the enum schema
WHERE 
    a.attnum > 0  -- Valid column numbers only
    AND NOT a.attisdropped  -- Skip dropped columns
    AND cls.relkind IN ('r', 'v', 'm')  -- Include regular tables ('r'), views ('v'), and materialized views ('m')
    AND ns.nspname = 'public'  -- Filter by schema
    AND cls.relname = 'dz_users'  -- Filter by table name
ORDER BY 
    a.attnum;  -- Order by column number;

SELECT 
    a.attrelid::regclass::text AS table_name,  -- Table, view, or materialized view name
    a.attname AS column_name,   -- Column name
    CASE 
        WHEN NOT a.attisdropped THEN 
            CASE 
                WHEN a.attnotnull THEN 'NO'
                ELSE 'YES'
            END 
        ELSE NULL 
    END AS is_nullable,  -- NULL or NOT NULL constraint
    a.attndims AS array_dimensions,  -- Array dimensions
    CASE 
        WHEN a.atttypid = ANY ('{int,int8,int2}'::regtype[]) 
        AND EXISTS (
            SELECT FROM pg_attrdef ad
            WHERE ad.adrelid = a.attrelid 
            AND ad.adnum = a.attnum 
            AND pg_get_expr(ad.adbin, ad.adrelid) = 'nextval(''' 
                || pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass || '''::regclass)'
        )
        THEN CASE a.atttypid
            WHEN 'int'::regtype THEN 'serial'
            WHEN 'int8'::regtype THEN 'bigserial'
            WHEN 'int2'::regtype THEN 'smallserial'
        END
        ELSE format_type(a.atttypid, a.atttypmod)
    END AS data_type,  -- Column data type
--    ns.nspname AS type_schema,  -- Schema name
    pg_get_serial_sequence('"public"."dz_posts"', a.attname)::regclass AS seq_name,  -- Serial sequence (if any)
    c.column_default,  -- Column default value
    c.data_type AS additional_dt,  -- Data type from information_schema
    c.udt_name AS enum_name,  -- Enum type (if applicable)
    c.is_generated,  -- Is it a generated column?
    c.generation_expression,  -- Generation expression (if generated)
    c.is_identity,  -- Is it an identity column?
    c.identity_generation,  -- Identity generation strategy (ALWAYS or BY DEFAULT)
    c.identity_start,  -- Start value of identity column
    c.identity_increment,  -- Increment for identity column
    c.identity_maximum,  -- Maximum value for identity column
    c.identity_minimum,  -- Minimum value for identity column
    c.identity_cycle,  -- Does the identity column cycle?
    enum_ns.nspname AS type_schema  -- Schema of the enum type
FROM 
    pg_attribute a
JOIN 
    pg_class cls ON cls.oid = a.attrelid  -- Join pg_class to get table/view/materialized view info
JOIN 
    pg_namespace ns ON ns.oid = cls.relnamespace  -- Join namespace to get schema info
LEFT JOIN 
    information_schema.columns c ON c.column_name = a.attname 
        AND c.table_schema = ns.nspname 
        AND c.table_name = cls.relname  -- Match schema and table/view name
LEFT JOIN 
    pg_type enum_t ON enum_t.oid = a.atttypid  -- Join to get the type info
LEFT JOIN 
    pg_namespace enum_ns ON enum_ns.oid = enum_t.typnamespace  -- Join to get the enum schema
WHERE 
    a.attnum > 0  -- Valid column numbers only
    AND NOT a.attisdropped  -- Skip dropped columns
    AND cls.relkind IN ('r', 'v', 'm')  -- Include regular tables ('r'), views ('v'), and materialized views ('m')
    AND ns.nspname = 'public'  -- Filter by schema
    AND cls.relname = 'dz_posts'  -- Filter by table name
ORDER BY 
    a.attnum;  -- Order by column number;

SELECT c.column_name, c.data_type, constraint_type, constraint_name, constraint_schema
      FROM information_schema.table_constraints tc
      JOIN information_schema.constraint_column_usage AS ccu USING (constraint_schema, constraint_name)
      JOIN information_schema.columns AS c ON c.table_schema = tc.constraint_schema
        AND tc.table_name = c.table_name AND ccu.column_name = c.column_name
      WHERE tc.table_name = 'dz_users' and constraint_schema = 'public';

SELECT c.column_name, c.data_type, constraint_type, constraint_name, constraint_schema
      FROM information_schema.table_constraints tc
      JOIN information_schema.constraint_column_usage AS ccu USING (constraint_schema, constraint_name)
      JOIN information_schema.columns AS c ON c.table_schema = tc.constraint_schema
        AND tc.table_name = c.table_name AND ccu.column_name = c.column_name
      WHERE tc.table_name = 'dz_posts' and constraint_schema = 'public';

SELECT 
						tc.constraint_name,
						tc.constraint_type,
						pg_get_constraintdef(con.oid) AS constraint_definition
					FROM 
						information_schema.table_constraints AS tc
						JOIN pg_constraint AS con 
							ON tc.constraint_name = con.conname
							AND con.conrelid = (
								SELECT oid 
								FROM pg_class 
								WHERE relname = tc.table_name 
								AND relnamespace = (
									SELECT oid 
									FROM pg_namespace 
									WHERE nspname = tc.constraint_schema
								)
							)
					WHERE 
						tc.table_name = 'dz_users'
						AND tc.constraint_schema = 'public'
						AND tc.constraint_type = 'CHECK'
						AND con.contype = 'c';

SELECT 
						tc.constraint_name,
						tc.constraint_type,
						pg_get_constraintdef(con.oid) AS constraint_definition
					FROM 
						information_schema.table_constraints AS tc
						JOIN pg_constraint AS con 
							ON tc.constraint_name = con.conname
							AND con.conrelid = (
								SELECT oid 
								FROM pg_class 
								WHERE relname = tc.table_name 
								AND relnamespace = (
									SELECT oid 
									FROM pg_namespace 
									WHERE nspname = tc.constraint_schema
								)
							)
					WHERE 
						tc.table_name = 'dz_posts'
						AND tc.constraint_schema = 'public'
						AND tc.constraint_type = 'CHECK'
						AND con.contype = 'c';

SELECT
            con.contype AS constraint_type,
            nsp.nspname AS constraint_schema,
            con.conname AS constraint_name,
            rel.relname AS table_name,
            att.attname AS column_name,
            fnsp.nspname AS foreign_table_schema,
            frel.relname AS foreign_table_name,
            fatt.attname AS foreign_column_name,
            CASE con.confupdtype
              WHEN 'a' THEN 'NO ACTION'
              WHEN 'r' THEN 'RESTRICT'
              WHEN 'n' THEN 'SET NULL'
              WHEN 'c' THEN 'CASCADE'
              WHEN 'd' THEN 'SET DEFAULT'
            END AS update_rule,
            CASE con.confdeltype
              WHEN 'a' THEN 'NO ACTION'
              WHEN 'r' THEN 'RESTRICT'
              WHEN 'n' THEN 'SET NULL'
              WHEN 'c' THEN 'CASCADE'
              WHEN 'd' THEN 'SET DEFAULT'
            END AS delete_rule
          FROM
            pg_catalog.pg_constraint con
            JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
            JOIN pg_catalog.pg_namespace nsp ON nsp.oid = con.connamespace
            LEFT JOIN pg_catalog.pg_attribute att ON att.attnum = ANY (con.conkey)
              AND att.attrelid = con.conrelid
            LEFT JOIN pg_catalog.pg_class frel ON frel.oid = con.confrelid
            LEFT JOIN pg_catalog.pg_namespace fnsp ON fnsp.oid = frel.relnamespace
            LEFT JOIN pg_catalog.pg_attribute fatt ON fatt.attnum = ANY (con.confkey)
              AND fatt.attrelid = con.confrelid
          WHERE
            nsp.nspname = 'public'
            AND rel.relname = 'dz_users'
            AND con.contype IN ('f');

SELECT
            con.contype AS constraint_type,
            nsp.nspname AS constraint_schema,
            con.conname AS constraint_name,
            rel.relname AS table_name,
            att.attname AS column_name,
            fnsp.nspname AS foreign_table_schema,
            frel.relname AS foreign_table_name,
            fatt.attname AS foreign_column_name,
            CASE con.confupdtype
              WHEN 'a' THEN 'NO ACTION'
              WHEN 'r' THEN 'RESTRICT'
              WHEN 'n' THEN 'SET NULL'
              WHEN 'c' THEN 'CASCADE'
              WHEN 'd' THEN 'SET DEFAULT'
            END AS update_rule,
            CASE con.confdeltype
              WHEN 'a' THEN 'NO ACTION'
              WHEN 'r' THEN 'RESTRICT'
              WHEN 'n' THEN 'SET NULL'
              WHEN 'c' THEN 'CASCADE'
              WHEN 'd' THEN 'SET DEFAULT'
            END AS delete_rule
          FROM
            pg_catalog.pg_constraint con
            JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
            JOIN pg_catalog.pg_namespace nsp ON nsp.oid = con.connamespace
            LEFT JOIN pg_catalog.pg_attribute att ON att.attnum = ANY (con.conkey)
              AND att.attrelid = con.conrelid
            LEFT JOIN pg_catalog.pg_class frel ON frel.oid = con.confrelid
            LEFT JOIN pg_catalog.pg_namespace fnsp ON fnsp.oid = frel.relnamespace
            LEFT JOIN pg_catalog.pg_attribute fatt ON fatt.attnum = ANY (con.confkey)
              AND fatt.attrelid = con.confrelid
          WHERE
            nsp.nspname = 'public'
            AND rel.relname = 'dz_posts'
            AND con.contype IN ('f');

SELECT  DISTINCT ON (t.relname, ic.relname, k.i) t.relname as table_name, ic.relname AS indexname,
        k.i AS index_order,
        i.indisunique as is_unique,
        am.amname as method,
        ic.reloptions as with,
        coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.i, false)) AS column_name,
          CASE
        WHEN pg_get_expr(i.indexprs, i.indrelid) IS NOT NULL THEN 1
        ELSE 0
    END AS is_expression,
        i.indoption[k.i-1] & 1 = 1 AS descending,
        i.indoption[k.i-1] & 2 = 2 AS nulls_first,
        pg_get_expr(
                              i.indpred,
                              i.indrelid
                          ) as where,
         opc.opcname
      FROM pg_class t
          LEFT JOIN pg_index i ON t.oid = i.indrelid
          LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
		  CROSS JOIN LATERAL (SELECT unnest(i.indkey), generate_subscripts(i.indkey, 1) + 1) AS k(attnum, i)
          LEFT JOIN pg_attribute AS a
            ON i.indrelid = a.attrelid AND k.attnum = a.attnum
          JOIN pg_namespace c on c.oid = t.relnamespace
        LEFT JOIN pg_am AS am ON ic.relam = am.oid
        JOIN pg_opclass opc ON opc.oid = ANY(i.indclass)
      WHERE
      c.nspname = 'public' AND
      t.relname = 'dz_users';

SELECT  DISTINCT ON (t.relname, ic.relname, k.i) t.relname as table_name, ic.relname AS indexname,
        k.i AS index_order,
        i.indisunique as is_unique,
        am.amname as method,
        ic.reloptions as with,
        coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.i, false)) AS column_name,
          CASE
        WHEN pg_get_expr(i.indexprs, i.indrelid) IS NOT NULL THEN 1
        ELSE 0
    END AS is_expression,
        i.indoption[k.i-1] & 1 = 1 AS descending,
        i.indoption[k.i-1] & 2 = 2 AS nulls_first,
        pg_get_expr(
                              i.indpred,
                              i.indrelid
                          ) as where,
         opc.opcname
      FROM pg_class t
          LEFT JOIN pg_index i ON t.oid = i.indrelid
          LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
		  CROSS JOIN LATERAL (SELECT unnest(i.indkey), generate_subscripts(i.indkey, 1) + 1) AS k(attnum, i)
          LEFT JOIN pg_attribute AS a
            ON i.indrelid = a.attrelid AND k.attnum = a.attnum
          JOIN pg_namespace c on c.oid = t.relnamespace
        LEFT JOIN pg_am AS am ON ic.relam = am.oid
        JOIN pg_opclass opc ON opc.oid = ANY(i.indclass)
      WHERE
      c.nspname = 'public' AND
      t.relname = 'dz_posts';

SELECT
          idx.indexrelname AS index_name,
          idx.relname AS table_name,
          schemaname,
          CASE WHEN con.conname IS NOT NULL THEN 1 ELSE 0 END AS generated_by_constraint
        FROM
          pg_stat_user_indexes idx
        LEFT JOIN
          pg_constraint con ON con.conindid = idx.indexrelid
        WHERE idx.relname = 'dz_users' and schemaname = 'public'
        group by index_name, table_name,schemaname, generated_by_constraint;

SELECT
          idx.indexrelname AS index_name,
          idx.relname AS table_name,
          schemaname,
          CASE WHEN con.conname IS NOT NULL THEN 1 ELSE 0 END AS generated_by_constraint
        FROM
          pg_stat_user_indexes idx
        LEFT JOIN
          pg_constraint con ON con.conindid = idx.indexrelid
        WHERE idx.relname = 'dz_posts' and schemaname = 'public'
        group by index_name, table_name,schemaname, generated_by_constraint;

insert into "dz_users" ("id", "gid", "email", "role", "data", "tags", "at", "bal", "u") values (default, default, $1, default, $2, $3, default, $4, default) returning "id", "gid", "email", "role", "data", "tags", "at", "bal", "u";

insert into "dz_users" ("id", "gid", "email", "role", "data", "tags", "at", "bal", "u") values (default, default, $1, default, default, default, default, default, default) on conflict ("email") do update set "role" = $2;

insert into "dz_posts" ("id", "body", "ok", "uid") values ($1, $2, default, $3);

select "users"."id", "users"."gid", "users"."email", "users"."role", "users"."data", "users"."tags", "users"."at", "users"."bal", "users"."u", "users_posts"."data" as "posts" from "dz_users" "users" left join lateral (select coalesce(json_agg(json_build_array("users_posts"."id", "users_posts"."body", "users_posts"."ok", "users_posts"."uid")), '[]'::json) as "data" from "dz_posts" "users_posts" where "users_posts"."uid" = "users"."id") "users_posts" on true limit $1;

begin isolation level serializable read write;

update "dz_users" set "role" = $1 where "dz_users"."id" = $2;

select "id", "gid", "email", "role", "data", "tags", "at", "bal", "u" from "dz_users" where "dz_users"."id" in ($1, $2) for update;

savepoint sp1;

select count(*) from "dz_posts";

release savepoint sp1;

select "id", "gid", "email", "role", "data", "tags", "at", "bal", "u" from "dz_users" where "dz_users"."id" = $1;

select count(*) as count from "dz_users";

select $1::int, now();

select $1::text;

BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE;

create temp table ct(a int,b text);

COPY "ct" ("a", "b") FROM STDIN;

select count(*) from ct where a = any($1);

COMMIT;

insert into app.users(email) values($1);

select pg_sleep(3);

select 1; select 2;

SET extra_float_digits = 3;

SET application_name = 'PostgreSQL JDBC Driver';

drop table if exists jb, ja cascade;

create table ja(id bigserial primary key,name varchar(50) not null unique,bal numeric(10,2),at timestamptz default now(),d date,ok boolean,u uuid,data jsonb,tags text[],by bytea);

create table jb(id int primary key, aid bigint references ja(id) on delete cascade);

create index jax on ja(bal);

insert into ja(name,bal,at,d,ok,u,tags,by) values($1,$2,$3,$4,$5,$6,$7,$8)
RETURNING *;

select * from ja where id=$1;

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;

BEGIN;

SAVEPOINT "s1";

ROLLBACK TO SAVEPOINT "s1";

insert into jb values($1,$2);

BEGIN READ ONLY;

select count(*) from ja;

copy jb from stdin;

copy jb to stdout;

select 1;

SET SESSION search_path TO 'public';

select current_schema();

select version();

;

select * from information_schema.tables where table_name = $1 and table_schema = current_schema();

create table "knex_migrations" ("id" serial primary key, "name" varchar(255), "batch" integer, "migration_time" timestamptz);

create table "knex_migrations_lock" ("index" serial primary key, "is_locked" integer);

select * from "knex_migrations_lock";

insert into "knex_migrations_lock" ("is_locked") values ($1);

select "name" from "knex_migrations" order by "id" asc;

update "knex_migrations_lock" set "is_locked" = $1 where "is_locked" = $2;

select max("batch") as "max_batch" from "knex_migrations";

create table "kn_users" ("id" serial primary key, "email" varchar(255), "data" jsonb, "created_at" timestamptz not null default CURRENT_TIMESTAMP, "updated_at" timestamptz not null default CURRENT_TIMESTAMP, "tags" text[]);

alter table "kn_users" add constraint "kn_users_email_unique" unique ("email");

create table "kn_posts" ("id" uuid default gen_random_uuid(), "uid" integer, "body" text, "st" "kn_st", constraint "kn_posts_pkey" primary key ("id"));

alter table "kn_posts" add constraint "kn_posts_uid_foreign" foreign key ("uid") references "kn_users" ("id") on delete cascade;

create index "kn_posts_uid_index" on "kn_posts" ("uid");

insert into "knex_migrations" ("batch", "migration_time", "name") values ($1, $2, $3);

update "knex_migrations_lock" set "is_locked" = $1;

insert into "kn_users" ("data", "email") values ($1, $2), (DEFAULT, $3) returning "id";

insert into "kn_users" ("data", "email") values ($1, $2) on conflict ("email") do update set "data" = excluded."data", "email" = excluded."email";

insert into "kn_posts" ("body", "st", "uid") values ($1, $2, $3);

select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema = current_schema();

select * from information_schema.columns where table_name = $1 and column_name = $2 and table_schema = current_schema();

select "u"."id", count("p"."id") as "n" from "kn_users" as "u" left join "kn_posts" as "p" on "p"."uid" = "u"."id" group by "u"."id" order by "u"."id" asc limit $1;

BEGIN TRANSACTION ISOLATION LEVEL serializable;

update "kn_users" set "email" = $1 where "id" = $2 returning *;

select * from "kn_users" where "id" = $1 for update;

SAVEPOINT trx4;

select * from "kn_users" limit $1;

RELEASE SAVEPOINT trx4;

alter table "kn_users" add column "nick" varchar(20);

alter table "kn_users" drop column "tags";

alter table "kn_users" rename "data" to "dat";

alter table "kn_users" alter column "email" drop not null;

with "w" as (select 1 as one) select * from "w";

select "a"."attname" as "column", "a"."attnotnull" as "not_null", "a"."atthasdef" as "has_default", "c"."relname" as "table", "c"."relkind" as "table_type", "ns"."nspname" as "schema", "typ"."typname" as "type", "dtns"."nspname" as "type_schema", col_description(a.attrelid, a.attnum) as "column_description", pg_get_serial_sequence(quote_ident(ns.nspname) || '.' || quote_ident(c.relname), a.attname) as "auto_incrementing" from "pg_catalog"."pg_attribute" as "a" inner join "pg_catalog"."pg_class" as "c" on "a"."attrelid" = "c"."oid" inner join "pg_catalog"."pg_namespace" as "ns" on "c"."relnamespace" = "ns"."oid" inner join "pg_catalog"."pg_type" as "typ" on "a"."atttypid" = "typ"."oid" inner join "pg_catalog"."pg_namespace" as "dtns" on "typ"."typnamespace" = "dtns"."oid" where "c"."relkind" in ($1, $2, $3) and "ns"."nspname" !~ $4 and "ns"."nspname" != $5 and "ns"."nspname" != $6 and has_schema_privilege(ns.nspname, 'USAGE') and "a"."attnum" >= $7 and "a"."attisdropped" != $8 order by "ns"."nspname", "c"."relname", "a"."attnum";

create table if not exists "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);

create table if not exists "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);

select "id" from "kysely_migration_lock" where "id" = $1;

insert into "kysely_migration_lock" ("id", "is_locked") values ($1, $2);

with set_timeout as (
      select set_config('lock_timeout', '3600000', true) as config_val
    )
    select pg_advisory_lock(3853314791062309107)
    from set_timeout;

select "name", "timestamp" from "kysely_migration";

create table "ky_u" ("id" serial primary key, "e" varchar(20) not null unique, "c" timestamptz default now());

insert into "kysely_migration" ("name", "timestamp") values ($1, $2);

select pg_advisory_unlock(3853314791062309107);

insert into "ky_u" ("e") values ($1) returning *;

insert into "ky_u" ("e") values ($1) on conflict ("e") do update set "e" = $2;

select * from "ky_u" where "id" in ($1, $2);

start transaction isolation level repeatable read;

update "ky_u" set "e" = $1 where "id" = $2;

select "a"."attname" as "column", "a"."attnotnull" as "not_null", "a"."atthasdef" as "has_default", "c"."relname" as "table", "c"."relkind" as "table_type", "ns"."nspname" as "schema", "typ"."typname" as "type", "dtns"."nspname" as "type_schema", col_description(a.attrelid, a.attnum) as "column_description", pg_get_serial_sequence(quote_ident(ns.nspname) || '.' || quote_ident(c.relname), a.attname) as "auto_incrementing" from "pg_catalog"."pg_attribute" as "a" inner join "pg_catalog"."pg_class" as "c" on "a"."attrelid" = "c"."oid" inner join "pg_catalog"."pg_namespace" as "ns" on "c"."relnamespace" = "ns"."oid" inner join "pg_catalog"."pg_type" as "typ" on "a"."atttypid" = "typ"."oid" inner join "pg_catalog"."pg_namespace" as "dtns" on "typ"."typnamespace" = "dtns"."oid" where "c"."relkind" in ($1, $2, $3) and "ns"."nspname" !~ $4 and "ns"."nspname" != $5 and "ns"."nspname" != $6 and has_schema_privilege(ns.nspname, 'USAGE') and "a"."attnum" >= $7 and "a"."attisdropped" != $8 and "c"."relname" != $9 and "c"."relname" != $10 order by "ns"."nspname", "c"."relname", "a"."attnum";

drop table "ky_u";

delete from "kysely_migration" where "name" = $1;

select $1::int as i, $2::text t, now() n, 1.5::numeric num, 9007199254740993::int8 b, array[1,2] arr, '{"a":1}'::jsonb j, true bo, '\xdead'::bytea by, interval '1 day' iv, date '2024-01-02' d;

select $1::int8 x;

insert into app.users(email) values($1),($1);

rollback;

select pg_notify('ch','hey');

copy ct from stdin;

copy ct to stdout;

select * from generate_series(1,5) g where g>$1;

select * from generate_series(1,5) g;

select 1 as a; select 2 as b;

show search_path;

SELECT pg_try_advisory_lock(7241865325823964) AS "lockObtained";

SET search_path TO "public";

SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'pgmigrations';

CREATE TABLE "public"."pgmigrations" (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);

SELECT name FROM "public"."pgmigrations" ORDER BY run_on, id;

CREATE TABLE "npm_a" (
  "id" serial PRIMARY KEY,
  "n" varchar(10) NOT NULL
);

CREATE INDEX "npm_a_n_index" ON "npm_a" ("n");

INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('1720000000000_a', NOW());

SELECT pg_advisory_unlock(7241865325823964) AS "lockReleased";

select $1::int a;

select 1 as a;

create temp table x(a int);

savepoint sp_1_1;

insert into x values(1);

release savepoint sp_1_1;

select count(*) from x;

select $1::int;

select b.oid, b.typarray
      from pg_catalog.pg_type a
      left join pg_catalog.pg_type b on b.oid = a.typelem
      where a.typcategory = 'A'
      group by b.oid, b.typarray
      order by b.oid;

select $1::int i, $2 t, now() n, $3 j, $4::int[] arr, $5 d, $6 b, $7 by;

insert into ct ("a","b")values($1,$2),($3,$4);

savepoint "s0";

select * from ct where a in ($1,$2);

select * from generate_series(1,5);

select pg_notify($1, $2);

select * from nosuch;

create table if not exists public.pc(a int, b text);

copy public.pc (a,b) from stdin;

copy public.pc to stdout;

drop table public.pc;

select $1::int a, now() n;

select $1::text t;

insert into app.users(email) values(null);

SELECT t.oid, t.typname, t.typelem, t.typdelim, ti.proname AS typinput
				FROM pg_type as t
				JOIN pg_proc as ti ON ti.oid = t.typinput;

select 1, true, 1.5::float8;

DROP TABLE IF EXISTS sbtest1;

CREATE TABLE IF NOT EXISTS sbtest1 (
          id INTEGER NOT NULL,
          k INTEGER DEFAULT '0' NOT NULL,
          PRIMARY KEY (id));

INSERT INTO sbtest1 VALUES(1,1),(2,2),(3,3);

DELETE FROM sbtest1 WHERE id=$1;

INSERT INTO sbtest1 (k, c, pad) VALUES (217, '97436946196-27675283153-04526719068-39530412319-79307138632-51024251179-51413473529-27734261244-65231899586-22228034484', '54354646411-01018337600-20947971847-57912382951-69884812277');

SELECT c FROM sbtest1 WHERE id=$1;

SELECT c FROM sbtest1 WHERE id BETWEEN $1 AND $2;

SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN $1 AND $2;

SELECT c FROM sbtest1 WHERE id BETWEEN $1 AND $2 ORDER BY c;

SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN $1 AND $2 ORDER BY c;

CREATE TABLE sbtest1(
  id SERIAL,
  k INTEGER DEFAULT '0' NOT NULL,
  c CHAR(120) DEFAULT '' NOT NULL,
  pad CHAR(60) DEFAULT '' NOT NULL,
  PRIMARY KEY (id)
);

UPDATE sbtest1 SET k=k+1 WHERE id=$1;

UPDATE sbtest1 SET c=$1 WHERE id=$2;

INSERT INTO sbtest1 (id, k, c, pad) VALUES ($1, $2, $3, $4);

SELECT c FROM sbtest1 WHERE id=253;

SELECT c FROM sbtest1 WHERE id BETWEEN 250 AND 349;

SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 253 AND 352;

SELECT c FROM sbtest1 WHERE id BETWEEN 284 AND 383 ORDER BY c;

SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 253 AND 352 ORDER BY c;

UPDATE sbtest1 SET k=k+1 WHERE id=250;

UPDATE sbtest1 SET c='83498267663-82005014240-97835838483-07761017901-37739694849-72359986777-20492328771-54454925062-26460579601-53263227573' WHERE id=251;

DELETE FROM sbtest1 WHERE id=181;

INSERT INTO sbtest1 (id, k, c, pad) VALUES (181, 252, '00786996020-82655564224-52186227452-03700198778-35079867263-24297683634-65586766401-52413252670-07860618319-38725905123', '08942948740-26829720534-50682728723-43734662783-73709642922');

SELECT id, k, c, pad
          FROM sbtest1
          WHERE k IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

SELECT count(k)
          FROM sbtest1
          WHERE k BETWEEN $1 AND $2 OR k BETWEEN $3 AND $4 OR k BETWEEN $5 AND $6 OR k BETWEEN $7 AND $8 OR k BETWEEN $9 AND $10 OR k BETWEEN $11 AND $12 OR k BETWEEN $13 AND $14 OR k BETWEEN $15 AND $16 OR k BETWEEN $17 AND $18 OR k BETWEEN $19 AND $20;

SELECT version();

SELECT * FROM current_schema();

START TRANSACTION;

SELECT * FROM current_database();

SELECT "table_schema", "table_name", obj_description((quote_ident("table_schema") || '.' || quote_ident("table_name"))::regclass, 'pg_class') AS table_comment FROM "information_schema"."tables" WHERE ("table_schema" = 'public' AND "table_name" = 'to_users') OR ("table_schema" = 'public' AND "table_name" = 'to_posts');

SELECT * FROM "information_schema"."tables" WHERE "table_schema" = $1 AND "table_name" = $2;

SELECT "n"."nspname", "t"."typname" FROM "pg_type" "t" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = 'public' AND "t"."typname" = 'to_users_st_enum';

CREATE TABLE "to_users" ("id" SERIAL NOT NULL, "uid" uuid NOT NULL DEFAULT uuid_generate_v4(), "email" character varying NOT NULL, "st" "public"."to_users_st_enum" NOT NULL DEFAULT 'a', "data" jsonb, "tags" text array, "c" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "v" numeric(10,2), "ver" integer NOT NULL, CONSTRAINT "UQ_71e8866b380def8f395ca87bc85" UNIQUE ("email"), CONSTRAINT "PK_b9fbc0303871fc9ed9ba477e805" PRIMARY KEY ("id"));

CREATE TABLE "to_posts" ("id" BIGSERIAL NOT NULL, "body" text NOT NULL, "userId" integer, CONSTRAINT "PK_bd34ae5c3cb0f567442606edfda" PRIMARY KEY ("id"));

CREATE INDEX "IDX_56c544a63e43f7251bebddbe54" ON "to_posts"  ("body");

ALTER TABLE "to_posts" ADD CONSTRAINT "FK_62391d14a6cc7568a5e6b12953d" FOREIGN KEY ("userId") REFERENCES "to_users"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

CREATE TABLE "migrations" ("id" SERIAL NOT NULL, "timestamp" bigint NOT NULL, "name" character varying NOT NULL, CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY ("id"));

SELECT * FROM "migrations" "migrations" ORDER BY "id" DESC;

create table if not exists mm(a int);

INSERT INTO "migrations"("timestamp", "name") VALUES ($1, $2);

INSERT INTO "to_users"("uid", "email", "st", "data", "tags", "c", "v", "ver") VALUES (DEFAULT, $1, DEFAULT, $2, $3, DEFAULT, DEFAULT, 1) RETURNING "id", "uid", "st", "c", "ver";

INSERT INTO "to_posts"("body", "userId") VALUES ($1, $2) RETURNING "id";

SELECT DISTINCT "distinctAlias"."User_id" AS "ids_User_id", "distinctAlias"."User_id" FROM (SELECT "User"."id" AS "User_id", "User"."uid" AS "User_uid", "User"."email" AS "User_email", "User"."st" AS "User_st", "User"."data" AS "User_data", "User"."tags" AS "User_tags", "User"."c" AS "User_c", "User"."v" AS "User_v", "User"."ver" AS "User_ver", "User__User_posts"."id" AS "User__User_posts_id", "User__User_posts"."body" AS "User__User_posts_body", "User__User_posts"."userId" AS "User__User_posts_userId" FROM "to_users" "User" LEFT JOIN "to_posts" "User__User_posts" ON "User__User_posts"."userId"="User"."id" WHERE (("User"."email" = $1))) "distinctAlias" ORDER BY "distinctAlias"."User_id" ASC, "User_id" ASC LIMIT 2;

SELECT "User"."id" AS "User_id", "User"."uid" AS "User_uid", "User"."email" AS "User_email", "User"."st" AS "User_st", "User"."data" AS "User_data", "User"."tags" AS "User_tags", "User"."c" AS "User_c", "User"."v" AS "User_v", "User"."ver" AS "User_ver", "User__User_posts"."id" AS "User__User_posts_id", "User__User_posts"."body" AS "User__User_posts_body", "User__User_posts"."userId" AS "User__User_posts_userId" FROM "to_users" "User" LEFT JOIN "to_posts" "User__User_posts" ON "User__User_posts"."userId"="User"."id" WHERE ( (("User"."email" = $1)) ) AND ( "User"."id" IN (1) ) ORDER BY "User"."id" ASC;

INSERT INTO "to_users"("uid", "email", "st", "data", "tags", "c", "v", "ver") VALUES (DEFAULT, $1, DEFAULT, DEFAULT, DEFAULT, DEFAULT, $2, 1) ON CONFLICT ( "email" ) DO UPDATE SET "email" = EXCLUDED."email", "v" = EXCLUDED."v" RETURNING "id", "uid", "st", "c", "ver";

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;

SELECT "u"."id" AS "u_id", "u"."uid" AS "u_uid", "u"."email" AS "u_email", "u"."st" AS "u_st", "u"."data" AS "u_data", "u"."tags" AS "u_tags", "u"."c" AS "u_c", "u"."v" AS "u_v", "u"."ver" AS "u_ver" FROM "to_users" "u" WHERE "u"."id"=$1 FOR UPDATE;

SELECT COUNT(1) AS "cnt" FROM "to_users" "User";

SELECT "p"."id" AS "p_id", "p"."body" AS "p_body", "p"."userId" AS "p_userId", "u"."id" AS "u_id", "u"."uid" AS "u_uid", "u"."email" AS "u_email", "u"."st" AS "u_st", "u"."data" AS "u_data", "u"."tags" AS "u_tags", "u"."c" AS "u_c", "u"."v" AS "u_v", "u"."ver" AS "u_ver" FROM "to_posts" "p" LEFT JOIN "to_users" "u" ON "u"."id"="p"."userId";

drop table mm;

DELETE FROM "migrations" WHERE "timestamp" = $1 AND "name" = $2;

SELECT TRUE FROM information_schema.columns WHERE table_name = 'pg_class' and column_name = 'relispartition';

SELECT columns.*, pg_catalog.col_description((quote_ident(table_catalog) || '.' || quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass::oid, ordinal_position) AS description, ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype"::text AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type" FROM "information_schema"."columns" LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = ( SELECT "cls"."oid" FROM "pg_catalog"."pg_class" AS "cls" LEFT JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "cls"."relnamespace" WHERE "cls"."relname" = "columns"."table_name" AND "ns"."nspname" = "columns"."table_schema" ) WHERE ("table_schema" = 'public' AND "table_name" = 'to_users') OR ("table_schema" = 'public' AND "table_name" = 'to_posts');

SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression", CASE "cnst"."contype" WHEN 'p' THEN 'PRIMARY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'x' THEN 'EXCLUDE' END AS "constraint_type", "a"."attname" AS "column_name" FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid" INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace" LEFT JOIN "pg_attribute" "a" ON "a"."attrelid" = "cnst"."conrelid" AND "a"."attnum" = ANY ("cnst"."conkey") WHERE "t"."relkind" IN ('r', 'p') AND (("ns"."nspname" = 'public' AND "t"."relname" = 'to_users') OR ("ns"."nspname" = 'public' AND "t"."relname" = 'to_posts'));

SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "i"."relname" AS "constraint_name", "a"."attname" AS "column_name", CASE "ix"."indisunique" WHEN 't' THEN 'TRUE' ELSE'FALSE' END AS "is_unique", pg_get_expr("ix"."indpred", "ix"."indrelid") AS "condition", "types"."typname" AS "type_name", "am"."amname" AS "index_type" FROM "pg_class" "t" INNER JOIN "pg_index" "ix" ON "ix"."indrelid" = "t"."oid" INNER JOIN "pg_attribute" "a" ON "a"."attrelid" = "t"."oid"  AND "a"."attnum" = ANY ("ix"."indkey") INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "t"."relnamespace" INNER JOIN "pg_class" "i" ON "i"."oid" = "ix"."indexrelid" INNER JOIN "pg_type" "types" ON "types"."oid" = "a"."atttypid" INNER JOIN "pg_am" "am" ON "i"."relam" = "am"."oid" LEFT JOIN "pg_constraint" "cnst" ON "cnst"."conname" = "i"."relname" WHERE "t"."relkind" IN ('r', 'p') AND "cnst"."contype" IS NULL AND (("ns"."nspname" = 'public' AND "t"."relname" = 'to_users') OR ("ns"."nspname" = 'public' AND "t"."relname" = 'to_posts'));

SELECT "con"."conname" AS "constraint_name", "con"."nspname" AS "table_schema", "con"."relname" AS "table_name", "att2"."attname" AS "column_name", "ns"."nspname" AS "referenced_table_schema", "cl"."relname" AS "referenced_table_name", "att"."attname" AS "referenced_column_name", "con"."confdeltype" AS "on_delete", "con"."confupdtype" AS "on_update", "con"."condeferrable" AS "deferrable", "con"."condeferred" AS "deferred" FROM ( SELECT UNNEST ("con1"."conkey") AS "parent", UNNEST ("con1"."confkey") AS "child", "con1"."confrelid", "con1"."conrelid", "con1"."conname", "con1"."contype", "ns"."nspname", "cl"."relname", "con1"."condeferrable", CASE WHEN "con1"."condeferred" THEN 'INITIALLY DEFERRED' ELSE 'INITIALLY IMMEDIATE' END as condeferred, CASE "con1"."confdeltype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END as "confdeltype", CASE "con1"."confupdtype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END as "confupdtype" FROM "pg_class" "cl" INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_constraint" "con1" ON "con1"."conrelid" = "cl"."oid" WHERE "con1"."contype" = 'f' AND (("ns"."nspname" = 'public' AND "cl"."relname" = 'to_users') OR ("ns"."nspname" = 'public' AND "cl"."relname" = 'to_posts')) ) "con" INNER JOIN "pg_attribute" "att" ON "att"."attrelid" = "con"."confrelid" AND "att"."attnum" = "con"."child" INNER JOIN "pg_class" "cl" ON "cl"."oid" = "con"."confrelid"  AND "cl"."relispartition" = 'f'INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_attribute" "att2" ON "att2"."attrelid" = "con"."conrelid" AND "att2"."attnum" = "con"."parent";

SELECT "udt_schema", "udt_name" FROM "information_schema"."columns" WHERE "table_schema" = 'public' AND "table_name" = 'to_users' AND "column_name"='st';

SELECT "udt_schema", "udt_name" FROM "information_schema"."columns" WHERE "table_schema" = 'public' AND "table_name" = 'to_users' AND "column_name"='tags';

SELECT "e"."enumlabel" AS "value" FROM "pg_enum" "e" INNER JOIN "pg_type" "t" ON "t"."oid" = "e"."enumtypid" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = 'public' AND "t"."typname" = 'to_users_st_enum' ORDER BY "e"."enumsortorder";

SELECT "e"."enumlabel" AS "value" FROM "pg_enum" "e" INNER JOIN "pg_type" "t" ON "t"."oid" = "e"."enumtypid" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = 'public' AND "t"."typname" = 'text' ORDER BY "e"."enumsortorder";

SELECT current_schema() AS "currentSchema";

SELECT quote_ident(schemaname) || '.' || quote_ident(viewname) as "name" FROM "pg_views" WHERE "schemaname" = ANY($1) AND "viewname" NOT IN ('geography_columns', 'geometry_columns', 'raster_columns', 'raster_overviews');

SELECT quote_ident(schemaname) || '.' || quote_ident(matviewname) as "name" FROM "pg_matviews" WHERE "schemaname" = ANY($1);

SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) as "name" FROM "pg_tables" WHERE "schemaname" = ANY($1) AND "tablename" NOT IN ('spatial_ref_sys');

DROP TABLE IF EXISTS public.to_users, public.to_posts, public.migrations CASCADE;

SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname) as "name" FROM "pg_type" "t" INNER JOIN "pg_enum" "e" ON "e"."enumtypid" = "t"."oid" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = ANY($1) GROUP BY "n"."nspname", "t"."typname";

BEGIN;

INSERT INTO "public"."User" ("email","role","data","tags","createdAt","bal","big") VALUES ($1,CAST($2::text AS "public"."Role"),$3,$4,$5,$6,$7) RETURNING "public"."User"."id";

INSERT INTO "public"."Post" ("id","body","userId") VALUES ($1,$2,$3) RETURNING "public"."Post"."id";

SELECT "public"."User"."id", "public"."User"."email", "public"."User"."role"::text, "public"."User"."data", "public"."User"."tags", "public"."User"."createdAt", "public"."User"."bal", "public"."User"."big" FROM "public"."User" WHERE "public"."User"."id" = $1 LIMIT $2 OFFSET $3;

SELECT "public"."Post"."id", "public"."Post"."body", "public"."Post"."userId" FROM "public"."Post" WHERE "public"."Post"."userId" = $1 OFFSET $2;

COMMIT;

INSERT INTO "public"."User" ("email","role","createdAt") VALUES ($1,CAST($2::text AS "public"."Role"),$3), ($4,CAST($5::text AS "public"."Role"),$6) ON CONFLICT DO NOTHING;

INSERT INTO "public"."User" ("email","role","createdAt") VALUES ($1,CAST($2::text AS "public"."Role"),$3) ON CONFLICT ("email") DO UPDATE SET "role" = CAST($4::text AS "public"."Role") WHERE ("public"."User"."email" = $5 AND 1=1) RETURNING "public"."User"."id", "public"."User"."email", "public"."User"."role"::text, "public"."User"."data", "public"."User"."tags", "public"."User"."createdAt", "public"."User"."bal", "public"."User"."big";

SELECT "public"."User"."id", "public"."User"."email", "public"."User"."role"::text, "public"."User"."data", "public"."User"."tags", "public"."User"."createdAt", "public"."User"."bal", "public"."User"."big" FROM "public"."User" WHERE "public"."User"."email" ILIKE ('%' || $1 || '%') ORDER BY "public"."User"."id" ASC LIMIT $2 OFFSET $3;

SELECT "public"."Post"."id", "public"."Post"."body", "public"."Post"."userId" FROM "public"."Post" WHERE "public"."Post"."userId" IN ($1) OFFSET $2;

SELECT COUNT(*) AS "_count$_all", AVG("bal") AS "_avg$bal" FROM (SELECT "public"."User"."id", "public"."User"."bal" FROM "public"."User" WHERE 1=1 OFFSET $1) AS "sub";

SELECT COUNT(*) AS "_count$_all", "public"."User"."role"::text FROM "public"."User" WHERE 1=1 GROUP BY "public"."User"."role" OFFSET $1;

SELECT COUNT(*) AS "_count$_all" FROM (SELECT "public"."User"."id" FROM "public"."User" WHERE 1=1 OFFSET $1) AS "sub";

SELECT COUNT(*) AS "_count$_all" FROM (SELECT "public"."Post"."id" FROM "public"."Post" WHERE 1=1 OFFSET $1) AS "sub";

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;

UPDATE "public"."User" SET "big" = ("public"."User"."big" + $1) WHERE ("public"."User"."id" = $2 AND 1=1) RETURNING "public"."User"."id", "public"."User"."email", "public"."User"."role"::text, "public"."User"."data", "public"."User"."tags", "public"."User"."createdAt", "public"."User"."bal", "public"."User"."big";

select 1::int as x, now() as n;

SELECT "public"."User"."id", "public"."User"."email", "public"."User"."role"::text, "public"."User"."data", "public"."User"."tags", "public"."User"."createdAt", "public"."User"."bal", "public"."User"."big" FROM "public"."User" WHERE ("public"."User"."tags" @> $1 AND ("public"."User"."data"#>ARRAY[$2]::text[])::jsonb::jsonb = $3) OFFSET $4;

INSERT INTO "public"."User" ("email","role","createdAt") VALUES ($1,CAST($2::text AS "public"."Role"),$3) RETURNING "public"."User"."id", "public"."User"."email", "public"."User"."role"::text, "public"."User"."data", "public"."User"."tags", "public"."User"."createdAt", "public"."User"."bal", "public"."User"."big";

DELETE FROM "public"."User" WHERE 1=1;

select 5::int, now(), 1.5::numeric, array[1,2], '{"a":1}'::jsonb, true, 'x'::bytea, interval '1 day';

select 1;

BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;

ROLLBACK;

BEGIN READ WRITE;

create temp table ct(a int,b text);

COPY "ct" FROM stdin WITH DELIMITER AS '	' NULL AS '\N';

copy ct to stdout csv;

insert into ct values (1,'a'),(2,'b');

insert into ct values (1,'a');insert into ct values (2,'b');

insert into app.users(email) values(null);

select $1::int, $2, now(), $3::text[], 1.5::numeric;

select $1 + 1;

SAVEPOINT "_pg3_1";

RELEASE "_pg3_2";

insert into ct values($1,$2);

copy ct from stdin;

copy ct to stdout (format binary);

select 1::int,2::int8,'x'::text,now(),1.5::numeric,true,array[1,2];

SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = $1::regtype
ORDER BY t.oid;

BEGIN ISOLATION LEVEL SERIALIZABLE;
