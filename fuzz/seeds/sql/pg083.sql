UPDATE t SET (a, b) = (1, 2) WHERE id = 1
