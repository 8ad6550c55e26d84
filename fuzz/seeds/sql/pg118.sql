CREATE TABLE a (id serial PRIMARY KEY, n integer NOT NULL DEFAULT 0, s varchar(10) UNIQUE, b boolean DEFAULT false NOT NULL)
