CREATE TABLE d (id int PRIMARY KEY, "index" text, key text)
