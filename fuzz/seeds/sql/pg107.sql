SET default_transaction_isolation = 'repeatable read'
