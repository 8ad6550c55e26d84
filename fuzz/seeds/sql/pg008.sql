SELECT (a + b) * 2, a - (b - 1), a / (b * 2), a % 3 FROM t
