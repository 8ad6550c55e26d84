SET autocommit = on
