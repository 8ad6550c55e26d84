SELECT a FROM t WHERE a IN (1, 2, :x)
