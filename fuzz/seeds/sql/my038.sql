SET SESSION transaction_isolation = 'REPEATABLE-READ'
