CREATE TABLE d (a int CONSTRAINT du UNIQUE CONSTRAINT dc CHECK (a > 0) CONSTRAINT dr REFERENCES a CHECK (a < 9), t timestamp with time zone DEFAULT now(), at text DEFAULT 'x'::character varying)
