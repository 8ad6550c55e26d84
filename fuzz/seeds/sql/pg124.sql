CREATE INDEX i ON a (n, s varchar_pattern_ops DESC)
