INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a, b) DO UPDATE SET s = excluded.s, a = t.a + EXCLUDED.a WHERE t.a < 5 RETURNING id
