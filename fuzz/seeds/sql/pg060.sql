SELECT t.a FROM t LEFT OUTER JOIN p q ON t.p_id = q.id CROSS JOIN p r WHERE r.id = 1
