SELECT "Mixed", Folded FROM t
