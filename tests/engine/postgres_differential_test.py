#!/usr/bin/python3
"""PostgreSQL and its policy on random interleavings; see differential.py."""

import differential

SCHEMAS = {
    "plain": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 5, 1)",
    ],
    "keys": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer UNIQUE, v integer)",
        "CREATE INDEX t_v ON t (v)",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 4, 1)",
    ],
    "family": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
        "CREATE TABLE c (id integer PRIMARY KEY, tid integer REFERENCES t (id))",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 4, 1)",
        "INSERT INTO c VALUES (1, 1), (3, 2)",
    ],
    "deferred": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
        "CREATE TABLE c (id integer PRIMARY KEY, tid integer REFERENCES t (id)"
        " DEFERRABLE INITIALLY DEFERRED)",
        "CREATE INDEX c_tid ON c (tid)",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 4, 1)",
        "INSERT INTO c VALUES (1, 1), (3, 2)",
    ],
}

GRAMMAR = {
    # Along the primary key or by t_v, where there is one? That hangs on statistics.
    "plain": ["{t}", "{t}", "{t}", "{t}", "{t}", "select id, v from t where v = {s} order by id limit 1"],
    "keys": ["{t}"],
    "family": ["{t}", "{t}", "{c}"],
    "deferred": ["{t}", "{t}", "{c}"],
    "k": ["1", "2", "3", "4"],
    "s": ["0", "1", "2"],
    "lock": ["update", "no key update", "share", "key share"],
    "t": [
        "select id, n, v from t where id = {k}",
        "select id, n, v from t where id = {k}",
        "select n from t where id = {k} for update",
        "select n from t where id = {k} for {lock}",
        "select id from t where v = {s} order by id for {lock}",
        "select id, n from t order by n, id limit 1 for update",
        "select id from t order by id limit 1 for update skip locked",
        "select n from t where id = {k} for update nowait",
        "select id from t order by id desc limit 1",
        "select id from t order by id limit 2",
        "select sum(n), count(*) from t",
        "select count(*) from t where v = {s}",
        "select id from t where id > {k} order by id",
        "update t set v = v + 1 where id = {k}",
        "update t set v = {s} where id = {k} and v = {s}",
        "update t set n = n + 10 where id = {k}",
        "update t set v = {s} where v = {s}",
        "update t set v = (select sum(n) from t) where id = {k}",
        "update t set v = {s} where id in ({k}, {k})",
        "update t set n = {s} where n = {k} returning id, v",
        "insert into t values ({k}, {s}0, {s})",
        "insert into t values ({k}, {k}, {s})",
        "insert into t values ({k}, {k}0, {s}) on conflict (id) do update set v = t.v + 1",
        "insert into t values ({k}, {k}0, {s}) on conflict do nothing",
        "delete from t where id = {k}",
        "delete from t where v = {s}",
    ],
    "c": [
        "insert into c values ({k}, {k})",
        "insert into c values ({k}, {k})",
        "select count(*) from c where tid = {k}",
        "update c set tid = {k} where id = {k}",
        "delete from c where id = {k}",
        "delete from t where id = {k}",
        "update t set id = {k} where id = {k}",
        "select n from t where id = {k} for update",
        "select t.id, c.id from t left join c on c.tid = t.id where t.id = {k} order by 2",
    ],
}

SUITE = differential.Suite(
    "postgres",
    ["postgresql read committed", "postgresql repeatable read", "postgresql serializable",
     "postgresql serializable django"],
    SCHEMAS,
    GRAMMAR,
)

if __name__ == "__main__":
    differential.main(SUITE, seconds=35, cases=400)
