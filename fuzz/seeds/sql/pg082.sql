UPDATE t SET a = DEFAULT, b = (SELECT SUM(total) FROM p WHERE p.id = t.p_id)
