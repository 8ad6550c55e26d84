"""Does things with the project, and prints as JSON what was sent to its database for each: {what: [statement, ...]}."""

import asyncio
import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import AsyncClient, Client

from shop.models import Item

sent = []


def look(execute, sql, params, many, context):
    sent.append(sql)
    return execute(sql, params, many, context)


def look_at(connection, **kwargs):
    if look not in connection.execute_wrappers:
        connection.execute_wrappers.append(look)  # behind the one that comments


connection_created.connect(look_at)


def raw(sql, params=None, many=False):
    with connection.cursor() as cursor:
        if many:
            cursor.executemany(sql, params)
            return cursor.rowcount
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else None


def with_another_wrapper():
    """A connection is made within somebody's execute_wrapper(), which then takes away its own and not ours."""
    connection.close()
    with connection.execute_wrapper(lambda execute, *args: execute(*args)):
        list(Item.objects.all())
    list(Item.objects.all())


async def awaited():
    return (await AsyncClient().get("/awaited/1/")).content.decode()


async def gathered():
    return (await AsyncClient().get("/gathered/1/")).content.decode()


def task():
    try:
        from shop.tasks import charge
    except ImportError:
        return

    charge.delay(1)


LIKE = "SELECT count(*) FROM shop_item WHERE name LIKE 'a%'"
ACTIONS = {
    "plain": lambda: list(Item.objects.all()),
    "view": lambda: Client().get("/items/1/").content.decode(),
    "regex": lambda: Client().get("/old/1").content.decode(),
    "thread": lambda: Client().get("/thread/1/").content.decode(),
    "awaited": lambda: asyncio.run(awaited()),
    "gathered": lambda: asyncio.run(gathered()),
    "async under wsgi": lambda: Client().get("/awaited/1/").content.decode(),
    "command": lambda: call_command("restock"),
    "task": task,
    "semicolon": lambda: raw("SELECT 1 ; "),
    "line comment": lambda: raw("SELECT 1 -- one"),
    "tagged": lambda: raw("SELECT 1 /*route='x'*/"),
    "hint": lambda: raw("SELECT /*+ SET_VAR(a=1) */ 1"),
    "percent": lambda: raw("SELECT '100%'"),
    "percent with values": lambda: raw("SELECT '100%%', %s", [5]),
    "no values": lambda: raw("SELECT '100%%'", []),
    "like": lambda: raw(LIKE),
    "many": lambda: raw("INSERT INTO shop_item (name, stock, price, is_sold, notes) VALUES (%s, %s, %s, %s, %s)",
                        [("a%d" % i, i, 0, False, "{}") for i in range(50)], many=True),
    "another": with_another_wrapper,
}


def main():
    call_command("migrate", run_syncdb=True, verbosity=0)
    Item.objects.create(name="first", stock=3)
    told = {}
    for name, action in ACTIONS.items():
        sent.clear()
        answer = action()
        told[name] = {"sent": list(sent), "answer": repr(answer)}
    json.dump(told, sys.stdout)


main()
