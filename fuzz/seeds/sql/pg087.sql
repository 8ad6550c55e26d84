DELETE FROM t x USING p WHERE x.p_id = p.id
