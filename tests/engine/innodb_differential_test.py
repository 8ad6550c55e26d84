#!/usr/bin/python3
"""MariaDB and InnoDB's policies on random interleavings; see differential.py."""

import differential

KEYS = [
    "create table t (id int primary key, u int, k int not null, v int not null, unique key u (u), key k (k))",
    "insert into t values (1,10,1,0),(2,20,5,0),(4,40,5,1),(7,70,9,2)",
]

SCHEMAS = {
    "plain": [
        "create table t (id int primary key, n int not null, v int not null)",
        "insert into t values (1,1,0),(2,5,0),(4,5,1),(7,1,2)",
    ],
    "keys": KEYS,
    "wide": KEYS,
    "family": [
        "create table p (id int primary key, total int not null)",
        "create table c (id int primary key, pid int not null, amount int not null,"
        " constraint c_pid foreign key (pid) references p (id))",
        "insert into p values (1,0),(2,0),(3,0)",
        "insert into c values (1,1,5),(3,2,5)",
    ],
    "cascade": [
        "create table p (id int primary key, total int not null)",
        "create table c (id int primary key, pid int, amount int not null,"
        " constraint c_pid foreign key (pid) references p (id) on delete cascade)",
        "create table t (id int primary key, pid int,"
        " constraint t_pid foreign key (pid) references p (id) on delete set null)",
        "insert into p values (1,0),(2,0),(3,0)",
        "insert into c values (1,1,5),(3,2,5),(5,null,5)",
        "insert into t values (1,1),(3,2),(5,null)",
    ],
}

GRAMMAR = {
    "id": ["1", "2", "3", "4", "5", "6", "7", "8"],
    "u": ["10", "20", "30", "40", "50", "60", "70", "80"],
    "n": ["1", "5", "9"],
    "k": ["1", "3", "5", "7", "9"],
    "locking": ["", "", "", " for update", " for update", " lock in share mode"],
    "plain.where": [
        "id={id}", "id={id}", "id={id}", "id={id}", "n={n}", "id>={id}", "id in ({id},{id})", "v>0",
    ],
    "plain": [
        "select id,n,v from t where {plain.where}{locking}",
        "select id,n,v from t where {plain.where}{locking}",
        "select sum(n) from t",
        "select id,n,v from t{locking}",
        "update t set v=v+1 where {plain.where}",
        "update t set v=v+1 where {plain.where}",
        "update t set n={n} where {plain.where}",
        "update t set v=7",
        "update t set n=n-1 where id={id} and n>=1",
        "insert into t values ({id},{n},0)",
        "insert into t values ({id},{n},0)",
        "delete from t where {plain.where}",
    ],
    "keys.where": ["id={id}", "id={id}", "id={id}", "u={u}", "u={u}", "k={k}", "k={k}", "k={k}"],
    "keys": [
        "select id,u,k,v from t where {keys.where}{locking}",
        "select id,u,k,v from t where {keys.where}{locking}",
        "select sum(v) from t where k={k}",
        "update t set v=v+1 where {keys.where}",
        "update t set v=v+1 where {keys.where}",
        "update t set k={k} where id={id}",
        "update t set u={u} where id={id}",
        "insert into t values ({id},{u},{k},0)",
        "insert into t values ({id},{u},{k},0)",
        "insert into t values ({id},null,{k},0)",
        "delete from t where {keys.where}",
    ],
    "between": ["1 and 3", "2 and 6", "3 and 3", "5 and 8", "0 and 9"],
    "wide.where": [
        "id={id}", "u={u}", "k={k}", "k={k} and v=0", "id>{id}", "id between {between}", "id<{id}",
        "id in ({id},{id})", "k={k} and id={id}", "u is null", "v=1 and id={id}",
    ],
    "wide": [
        "select id,u,k,v from t where {wide.where}{locking}",
        "select id,u,k,v from t where {wide.where}{locking}",
        "select count(*) from t where k={k}",
        "select id from t where k={k}{locking}",
        "select id from t where {wide.where} order by id limit 1{locking}",
        "select id from t order by id limit 2{locking}",
        "select id,u,k,v from t where {wide.where} for update nowait",
        "select id,u,k,v from t where {wide.where} for update skip locked",
        "update t set v=v+1 where {wide.where}",
        "update t set v=v+1 where {wide.where}",
        "update t set k=k+2 where {wide.where}",
        "update t set u={u},k={k},v=0 where id={id}",
        "update t set id={id} where id={id}",
        "insert into t values ({id},{u},{k},0)",
        "insert into t values ({id},{u},{k},0),({id},{u},{k},1)",
        "insert ignore into t values ({id},{u},{k},0)",
        "insert into t values ({id},{u},{k},0) on duplicate key update v=v+1",
        "insert into t select id+10,null,k,v from t where id={id}",
        "delete from t where {wide.where}",
        "delete from t where {wide.where}",
    ],
    "parent": ["1", "2", "3", "4"],
    "child": ["1", "2", "3", "4", "5", "6"],
    "family": [
        "select id,total from p where id={parent}{locking}",
        "select id,total from p where id={parent}{locking}",
        "select sum(amount) from c where pid={parent}",
        "select sum(amount) from c where pid={parent}",
        "insert into c values ({child},{parent},5)",
        "insert into c values ({child},{parent},5)",
        "insert into c values ({child},{parent},5)",
        "update p set total=total+5 where id={parent}",
        "update p set total=7 where id={parent}",
        "update p set total=(select sum(amount) from c where pid={parent}) where id={parent}",
        "update c set pid={parent} where id={child}",
        "update c set amount=amount+1 where id={child}",
        "delete from c where id={child}",
        "delete from p where id={parent}",
        "insert into p values ({parent},0)",
    ],
    "cascade": [
        "select id from p where id={parent}{locking}",
        "select id,pid from c where pid={parent}{locking}",
        "select id,pid from t{locking}",
        "insert into c values ({child},{parent},5)",
        "insert into t values ({child},{parent})",
        "insert into t values ({child},null)",
        "insert into p values ({parent},0)",
        "update p set total=total+5 where id={parent}",
        "update c set pid={parent} where id={child}",
        "update t set pid=null where pid={parent}",
        "delete from p where id={parent}",
        "delete from p where id={parent}",
        "delete from c where id={child}",
    ],
}  # fmt: skip

SUITE = differential.Suite(
    "innodb",
    ["mariadb read committed", "mariadb repeatable read", "mariadb serializable",
     "mariadb repeatable read snapshot_isolation", "mariadb serializable snapshot_isolation",
     "mariadb read committed snapshot_isolation"],
    SCHEMAS,
    GRAMMAR,
)

if __name__ == "__main__":
    differential.main(SUITE, seconds=35, cases=400)
