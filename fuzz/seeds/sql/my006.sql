SELECT a MOD 3, a % 3, 1--1 FROM t # comment
