"""Run a function in a SERIALIZABLE transaction, again when the database refuses it."""

import functools

from django.db import OperationalError, connection, transaction

ATTEMPTS = 3


def serializable(function):
    """Only for outermost calls: the level can't be changed inside a transaction."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic(durable=True):
                    with connection.cursor() as cursor:
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
                    return function(*args, **kwargs)
            except OperationalError:
                if attempt == ATTEMPTS:
                    raise

    return wrapper
