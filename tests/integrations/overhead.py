#!/usr/bin/env python3
"""What a comment costs a statement: overhead.py [ROUNDS]. Medians of interleaved rounds, in microseconds of CPU a statement.

A view of a request reads a row by its key, as Django does on SQLite in memory: no network, no server's work, so the share is the largest
that it can be. `wrapper`: the execute wrapper alone, called at that depth of the stack.
"""
import os
import statistics
import sys
import time

import django_project as project

STATEMENTS = 300


def measured(work):
    begun = time.process_time()
    for _ in range(STATEMENTS):
        work()
    return (time.process_time() - begun) / STATEMENTS * 1e6


def main(rounds):
    os.environ.update(project.environment({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}))
    sys.path[:0] = [str(project.PACKAGE), str(project.PROJECT)]
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.http import HttpResponse
    from django.test import Client
    from lostwrite_django.comments import comment_statement
    from shop import urls, views
    from shop.models import Item
    from django.urls import path

    call_command("migrate", run_syncdb=True, verbosity=0)
    Item.objects.create(id=1, name="first", stock=3)
    told = {"without": [], "with": [], "wrapper": []}

    def view(request, pk):
        connection.execute_wrappers.remove(comment_statement)
        told["without"].append(measured(lambda: Item.objects.get(pk=pk)))
        connection.execute_wrappers.insert(0, comment_statement)
        told["with"].append(measured(lambda: Item.objects.get(pk=pk)))
        context = {"connection": connection}
        told["wrapper"].append(measured(lambda: comment_statement(lambda *args: None, "SELECT 1", (), False, context)))
        return HttpResponse()

    urls.urlpatterns.append(path("measured/<int:pk>/", view))
    for _ in range(rounds):
        assert Client().get("/measured/1/").status_code == 200
    for name, times in told.items():
        print("%-8s %7.1f us (%.1f to %.1f)" % (name, statistics.median(times), min(times), max(times)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 21)
