SELECT CAST(a AS numeric(10, 2)), a::bigint, b::double precision, at::timestamp with time zone, s::character varying(10), s::text[] FROM t
