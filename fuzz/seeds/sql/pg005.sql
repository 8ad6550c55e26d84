SELECT name, state, value, key, type, date, time, level, first, last FROM t
