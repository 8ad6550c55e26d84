#!/usr/bin/python3
"""MySQL 5.6 and InnoDB's policies on random interleavings; see differential.py."""

import differential
import innodb_differential_test as innodb

# MySQL 5.6 knows neither.
NEWER = ("nowait", "skip locked")

SUITE = differential.Suite(
    "mysql",
    ["mysql:5.6 read committed", "mysql:5.6 repeatable read", "mysql:5.6 serializable"],
    innodb.SCHEMAS,
    {symbol: [text for text in texts if not text.endswith(NEWER)] for symbol, texts in innodb.GRAMMAR.items()},
)

if __name__ == "__main__":
    differential.main(SUITE, seconds=35, cases=400)
