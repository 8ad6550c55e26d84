SELECT a + b * 2 - -1 FROM t
