/**
 * SQL: from a query string to rows and a command tag, on top of transactions over ordered keys.
 *
 * # Where a statement travels
 *
 *  text ── lex ──> shape + literals ──┬── plan cache hit ─────────────────────────┐
 *                                     └── parse ──> bind ──> plan ──> plan cache ─┴─> run ──> tag, commit
 *
 * - `parser/`  `lex` splits a query string and lifts literals out; what is left, the *shape*, is the key of the plan cache.
 *   Only a miss is parsed (`parse.ts`, nearley) into the small nodes of `ast.ts`.
 * - `plan/`    The binder (`bind-*.ts`, `scope.ts`, `coerce.ts`) settles names and types and makes logical queries
 *   (`logical.ts`) of bound expressions (`bound.ts`). The planner (`plan-*.ts`) chooses access paths and joins and makes
 *   operators; expressions become closures once a plan (`compile*.ts`). The result is a `StatementPlan`.
 * - `execute/` Operators pull batches of rows from each other (`operators/`). Tables are read through access paths
 *   (`table-reader.ts`) and written with all their indexes (`table-writer.ts`); `row-codec.ts` and `index-codec.ts` say how
 *   rows and entries look in the key space.
 * - `catalog/` Descriptors are rows under `\x01`; a snapshot of all of them belongs to one schema version (`catalog.ts`). Names are
 *   looked up in the schemas of search_path that exist and that the role may use (`SessionContext.searchPath`, `schema.ts`).
 *   pg_catalog is computed from it (`system-*.ts`).
 * - `auth/`    Who may do what (`authorize.ts`, `privileges.ts`), and what is kept of passwords (`scram-verifier.ts`).
 * - `ddl/`     Schema changes within a transaction (`schema-editor.ts`), and what follows its commit (`backfill.ts`).
 * - `session/` Both protocols over one state: transaction blocks, settings, prepared statements, portals, COPY; retries
 *   (`autocommit.ts`, `replay.ts`). `types.ts` is what the protocol server drives; `factory.ts` makes sessions.
 * - `backup/` Chains of full and incremental backups in a directory, and restores from them (`backup.ts`).
 * - `types/`, `functions/`  Values, casts, operators and functions with PostgreSQL's rules.
 *
 * A statement on one row by its key takes the short way: its plan has `direct`, one read and one write without an iteration. If it is a
 * transaction by itself, it may be shorter still: a query is one read (`session/lone-read.ts`), and an UPDATE is run by the node that leads the
 * row's range (`session/run-elsewhere.ts`).
 *
 * # Invariants
 *
 * 1. A statement is planned with the catalog as of its read timestamp (S2). Every read of the store compares the schema
 *    version afterwards (`statement-store.ts`), before anything that came back is decoded; where it has moved, the statement
 *    is planned and run again, or fails with 40001 if it has written. A write planned with an older catalog cannot commit, unless
 *    all that its transaction took from the catalog is the same in the present one (`session/schema-reliance.ts`).
 *    AS OF SYSTEM TIME (`session/as-of.ts`) is no exception: it is known before the statement is planned.
 * 2. A plan holds no state of a run and no value of one: literals and parameters are arguments, and where the meaning of a
 *    statement depends on a literal's value (ORDER BY 1), the plan is pinned to that value.
 * 3. A client sees a statement's result, its tag above all, only once it cannot be taken back within the session: of a
 *    statement that is its own transaction, after the commit (`autocommit.ts`); in the extended protocol before, where it is not known yet
 *    that Sync follows, and `replay.ts` keeps the promise.
 *    What the client has not seen may be run again after a conflict; what it has seen is never run again with another outcome.
 * 4. The rows that a writing statement goes by are read with exclusive locks in pessimistic transactions, plainly in optimistic
 *    ones. Locks are scheduling: uniqueness holds because the transaction validates the key's absence at commit.
 * 5. An index that is not public is written by everyone and read by no one (S3). Rows of a table being rewritten are owned by
 *    their old key, so that no two of them ever overwrite each other (S5, `shadow-writer.ts`).
 * 6. Rows that were truncated or dropped stay under their physical prefix, which is never used again; `\x01x` lists those
 *    prefixes for removal once the GC threshold has passed the drop (S4).
 * 7. No statement holds the event loop for long: operators pause between batches (`Execution.pause`), the parser between
 *    slices. What a statement keeps in memory is metered (53200).
 * 8. Whatever a client sends, it gets a `DatabaseError` with PostgreSQL's SQLSTATE; what is not supported says so (0A000).
 * 9. A plan belongs to nobody: whether the current role may do what it does is asked each time that it runs, with the catalog
 *    of the statement, and with the present one too where the past is read.
 *
 * 10. A statement pays what it owes to foreign keys when all its rows are written (`execute/references/`). Of two transactions of which one
 *    writes a row that refers to a key, and the other takes that key away, at most one commits, at every isolation level.
 *
 * 11. Temporary objects are their session's: no key of theirs is ever written to the cluster, no descriptor of the cluster refers to
 *    one, and a transaction's changes of them end as its other changes do (`session/temporary-objects.ts`).
 *
 * Left out: functions, triggers, statistics.
 * May import: runtime, keys, storage, replica, placement, txn.
 */
export { createSessionFactory, type SessionFactoryOptions } from "./session/factory.ts";
