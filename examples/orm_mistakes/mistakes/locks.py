"""Locks by name, for code that must not run twice at once.

These exclude the threads of one process. A deployment with several processes
wants the same interface over a lock server; nothing in the callers changes.
"""

import collections
import contextlib
import threading

_locks = collections.defaultdict(threading.Lock)


@contextlib.contextmanager
def lock(name="shop"):
    with _locks[name]:
        yield
