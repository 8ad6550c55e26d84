SELECT a || 'x' || s FROM t
