SELECT "order", "name", "state", "value", "key", count FROM t
