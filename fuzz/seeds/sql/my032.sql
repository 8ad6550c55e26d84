SET autocommit=0
