INSERT INTO t (id, a) SELECT id, total FROM p WHERE id > 1
