"""Execute wrappers on every connection: those there are and those made later, in any thread."""

from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

_installed = []


def _install(connection):
    for wrapper in _installed:
        if wrapper not in connection.execute_wrappers:
            # In front: leaving `with connection.execute_wrapper(...)` takes away what is last.
            connection.execute_wrappers.insert(0, wrapper)


def _on_connection(connection, **kwargs):
    _install(connection)


def on_each_connection(wrapper):
    if wrapper in _installed:
        return
    _installed.append(wrapper)
    connection_created.connect(_on_connection, dispatch_uid="lostwrite_django")
    # Connections of this thread that are open already; those of another thread can't be reached, and none is before ready().
    for connection in _initialized():
        _install(connection)


def not_on_connections(wrapper):
    if wrapper in _installed:
        _installed.remove(wrapper)
    for connection in _initialized():
        if wrapper in connection.execute_wrappers:
            connection.execute_wrappers.remove(wrapper)


def _initialized():
    """This thread's connections, without making any."""
    if not settings.configured:
        return
    for alias in connections:
        connection = getattr(connections._connections, alias, None)
        if connection is not None:
            yield connection
