UPDATE t SET a = a + 1, s = :s WHERE id = :id
