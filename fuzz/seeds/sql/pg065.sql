SELECT a AS "select", b AS bee, s see FROM t T2
