SELECT x.n FROM (SELECT a AS n FROM t WHERE a > 1) x LEFT JOIN p ON p.id = x.n
