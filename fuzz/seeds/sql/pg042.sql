SELECT COALESCE(a, 0), NULLIF(a, b), GREATEST(a, b), lower(s), now() FROM t
