SET LOCAL transaction = 1
