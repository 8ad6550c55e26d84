SELECT (SELECT max(id) FROM p) AS m, a FROM t
