SET x = (y)
