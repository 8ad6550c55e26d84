SET @@session.autocommit = 1
