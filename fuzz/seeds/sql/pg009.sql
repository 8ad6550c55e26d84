SELECT -a, -(-a), - (1), +a FROM t
