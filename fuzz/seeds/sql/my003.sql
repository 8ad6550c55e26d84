SELECT CONCAT(a, 'x', s), CONCAT_WS('', a, s), CONCAT(a) FROM t
