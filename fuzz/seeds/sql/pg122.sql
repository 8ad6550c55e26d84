CREATE TABLE e (id integer NOT NULL DEFAULT nextval('e_id_seq'::regclass))
