SELECT "a", `b`, [c d] FROM t WHERE a == 1 AND a IS b AND a IS NOT 2 AND s || 'x' = 'y'
