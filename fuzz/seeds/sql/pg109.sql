SET lock_timeout TO 500
