SELECT (a + 1) || 'x' FROM t
