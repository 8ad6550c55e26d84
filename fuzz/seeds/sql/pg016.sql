SELECT a FROM t WHERE NOT a = 1 AND (b = 2 OR b = 3)
