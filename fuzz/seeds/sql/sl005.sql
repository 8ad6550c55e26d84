SELECT MIN(a, b), MAX(a) FROM t
