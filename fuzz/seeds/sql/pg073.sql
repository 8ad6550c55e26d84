INSERT INTO t (id) VALUES (:row.id) RETURNING t.id, a AS x
