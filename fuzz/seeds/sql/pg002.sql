SELECT t.*, p.id AS pid FROM t INNER JOIN p ON (t.p_id = p.id)
