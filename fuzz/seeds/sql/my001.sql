SELECT a FROM t WHERE a <=> b AND NOT a <=> 1 AND NOT (a <=> 2)
