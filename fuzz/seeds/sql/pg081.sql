UPDATE t AS x SET a = x.a + 1 FROM p JOIN p p2 ON p2.id = p.id WHERE x.p_id = p.id RETURNING x.a
