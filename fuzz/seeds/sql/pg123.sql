CREATE TABLE f (a int) WITH (fillfactor = 70)
