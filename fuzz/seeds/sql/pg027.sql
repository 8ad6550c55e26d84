SELECT a FROM t WHERE a = ANY(:ids) OR a = ANY (ARRAY[1, 2]) OR a <> ALL (SELECT id FROM p)
