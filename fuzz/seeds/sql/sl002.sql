SELECT a * b || c, -a || b FROM t
