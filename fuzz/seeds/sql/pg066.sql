SELECT pg_advisory_xact_lock(1, 2), pg_try_advisory_lock(:k)
