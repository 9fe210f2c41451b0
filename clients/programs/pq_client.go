// lib/pq, as Debian has it: one line a part that held.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/lib/pq"
)

func done(part string) { fmt.Println(part) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(holds bool, what ...interface{}) {
	if !holds {
		panic(fmt.Sprint(what...))
	}
}

func main() {
	url := os.Args[1]
	db, err := sql.Open("postgres", url)
	must(err)
	must(db.Ping())
	done("connect")
	types(db)
	transactions(db)
	errors(db)
	pooling(db)
	cursors(db)
	copyIn(db)
	notifications(db, url)
	must(db.Close())
}

func types(db *sql.DB) {
	_, err := db.Exec("CREATE TABLE pq_types (i int, b bigint, f float8, t text, o bool, y bytea, a int[], at timestamptz, nul text)")
	must(err)
	text := "é \\ ' \" 日 😀\n"
	data := []byte{0, 255, 92, 39}
	moment := time.Date(2020, 2, 29, 12, 34, 56, 789000000, time.UTC)
	_, err = db.Exec("INSERT INTO pq_types VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		1, int64(1)<<62, -1.5e300, text, true, data, pq.Array([]int64{1, -3}), moment, nil)
	must(err)
	var i int
	var b int64
	var f float64
	var t string
	var o bool
	var y []byte
	var a []int64
	var at time.Time
	var nul sql.NullString
	must(db.QueryRow("SELECT * FROM pq_types WHERE i = $1", 1).Scan(&i, &b, &f, &t, &o, &y, pq.Array(&a), &at, &nul))
	check(i == 1 && b == int64(1)<<62 && f == -1.5e300 && t == text && o && bytes.Equal(y, data), i, b, f, t, o, y)
	check(len(a) == 2 && a[1] == -3 && at.Equal(moment) && !nul.Valid, a, at, nul)
	done("types")
}

func count(db *sql.DB) int {
	var n int
	must(db.QueryRow("SELECT count(*) FROM pq_rows").Scan(&n))
	return n
}

func transactions(db *sql.DB) {
	_, err := db.Exec("CREATE TABLE pq_rows (id serial PRIMARY KEY, v int UNIQUE)")
	must(err)
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	must(err)
	_, err = tx.Exec("INSERT INTO pq_rows (v) SELECT n FROM generate_series(0, 199) n")
	must(err)
	must(tx.Commit())
	tx, err = db.Begin()
	must(err)
	_, err = tx.Exec("DELETE FROM pq_rows")
	must(err)
	must(tx.Rollback())
	check(count(db) == 200, count(db))
	done("transactions")
}

func errors(db *sql.DB) {
	for statement, code := range map[string]string{
		"INSERT INTO pq_rows (v) VALUES (1)": "23505",
		"SELECT * FROM nosuch":               "42P01",
		"SELECT 1/0":                         "22012",
		"SELEC 1":                            "42601",
	} {
		_, err := db.Exec(statement)
		failure, is := err.(*pq.Error)
		check(is && string(failure.Code) == code, statement, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(ctx, "SELECT pg_sleep(60)")
	check(err != nil, "not canceled")
	done("errors")
}

func pooling(db *sql.DB) {
	db.SetMaxOpenConns(4)
	var group sync.WaitGroup
	for n := 1; n <= 16; n++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			var v int
			must(db.QueryRow("SELECT v FROM pq_rows WHERE id = $1", n).Scan(&v))
			check(v == n-1, v)
		}(n)
	}
	group.Wait()
	done("pooling")
}

func cursors(db *sql.DB) {
	tx, err := db.Begin()
	must(err)
	_, err = tx.Exec("DECLARE c CURSOR FOR SELECT id FROM pq_rows ORDER BY id")
	must(err)
	rows, err := tx.Query("FETCH 150 FROM c")
	must(err)
	n := 0
	for rows.Next() {
		n++
	}
	must(rows.Err())
	check(n == 150, n)
	must(tx.Commit())
	done("cursors")
}

func copyIn(db *sql.DB) {
	tx, err := db.Begin()
	must(err)
	statement, err := tx.Prepare(pq.CopyIn("pq_rows", "v"))
	must(err)
	for n := 5000; n < 5100; n++ {
		_, err = statement.Exec(n)
		must(err)
	}
	_, err = statement.Exec()
	must(err)
	must(statement.Close())
	must(tx.Commit())
	check(count(db) == 300, count(db))
	done("copy")
}

func notifications(db *sql.DB, url string) {
	listener := pq.NewListener(url, time.Second, time.Minute, nil)
	must(listener.Listen("pq_news"))
	_, err := db.Exec("SELECT pg_notify('pq_news', 'hello')")
	must(err)
	select {
	case notice := <-listener.Notify:
		check(notice.Extra == "hello", notice)
	case <-time.After(20 * time.Second):
		panic("no notification")
	}
	must(listener.Close())
	done("notifications")
}
