CREATE TABLE b (key_id int, `key` int, state tinyint(1) NOT NULL DEFAULT '0', ts datetime(6) DEFAULT CURRENT_TIMESTAMP)
