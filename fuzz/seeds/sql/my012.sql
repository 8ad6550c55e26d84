SELECT @@in_transaction, @@session.tx_isolation
