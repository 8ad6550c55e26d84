SET SESSION statement_timeout = DEFAULT
