SELECT a FROM t WHERE ROW(a, b) < (1, 2)
