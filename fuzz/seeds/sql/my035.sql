SET @@global.x = 1
