SELECT a FROM t WHERE s LIKE BINARY 'x%' AND s LIKE 'a\%b\_c\\d\'e\n'
