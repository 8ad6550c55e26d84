#!/usr/bin/env python3
"""What django-parler sends for translated fields, beside the SQL of the programs: the same statements in the same order. Skipped
where the package isn't installed (Debian: python3-django-parler)."""
import importlib.util
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

HAS_PARLER = all(importlib.util.find_spec(name) is not None for name in ("django", "parler"))

MODELS = """
from django.db import models
from parler.models import TranslatableModel, TranslatedFields


class Shop(TranslatableModel):
    slug = models.CharField(max_length=10, default="x")
    translations = TranslatedFields(name=models.CharField(max_length=10), note=models.TextField(default=""))

    class Meta:
        app_label = "shop"
"""
VIEWS = """
from shop.models import Shop


def create():
    Shop.objects.create(slug="a", name="A")


def edit(pk):
    shop = Shop.objects.get(pk=pk)
    shop.name = "B"
    shop.save()


def edit_narrow(pk):
    shop = Shop.objects.get(pk=pk)
    shop.name = "C"
    shop.save(update_fields=["slug"])


def construct():
    shop = Shop(slug="n")
    shop.name = "q"
    shop.save()


def get_or_create():
    Shop.objects.get_or_create(slug="zz", defaults={"name": "N"})
"""
TABLE = re.compile(r'"?(shop_shop(?:_translation)?)"?[ .]')
# What the program sends only where no row matched, which it does in these calls.
RUNS = {"create": (), "edit": (1,), "edit_narrow": (1,), "construct": (), "get_or_create": ()}


def shape(sql):
    """SELECT, UPDATE or INSERT with its table and, of what is written, the columns."""
    verb = sql.split()[0]
    table = TABLE.search(sql + " ").group(1)
    if verb == "INSERT":
        return verb, table, tuple(sorted(re.findall(r"\w+", sql[sql.index("(") + 1:sql.index(")")])))
    if verb == "UPDATE":
        assigned = sql[sql.index(" SET ") + 5:sql.index(" WHERE ")]
        return verb, table, tuple(sorted(re.findall(r'(?:^|, )"?(\w+)"? =', assigned)))
    return verb, table, ()


def django_sends(folder):
    import django
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    settings.configure(INSTALLED_APPS=["parler", "shop"], LANGUAGE_CODE="en", PARLER_ENABLE_CACHING=False, USE_TZ=False,
                       DEFAULT_AUTO_FIELD="django.db.models.AutoField",
                       DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    sys.path.insert(0, folder)
    django.setup()
    from shop import views
    from shop.models import Shop
    with connection.schema_editor() as editor:
        editor.create_model(Shop)
        editor.create_model(Shop._parler_meta.root_model)
    sent = {}
    for name, args in RUNS.items():
        with CaptureQueriesContext(connection) as captured:
            getattr(views, name)(*args)
        sent[name] = [shape(query["sql"]) for query in captured if query["sql"].split()[0] in ("SELECT", "INSERT", "UPDATE")]
    return sent


def programs_send(folder):
    """The statements of each program; an INSERT that follows an UPDATE of its table in vain is none of them."""
    code, out, err = harness.lostwrite("dump", "--stage=program", ".", "--engine", "sqlite", cwd=folder)
    if code != 0:
        raise AssertionError(err)
    sent = {}
    for block in re.split(r"^program ", out, flags=re.MULTILINE)[1:]:
        name = re.match(r"shop\.views\.(\w+)", block).group(1)
        rows = [shape(match.group(1)) for match in re.finditer(r"((?:SELECT|INSERT|UPDATE) .*?)(?: @ \S+)?;$", block, re.MULTILINE)]
        has_key = "is null @" in block and "get_or_create" not in name
        sent[name] = [row for i, row in enumerate(rows)
                      if not (row[0] == "INSERT" and has_key and any(other[0] == "UPDATE" for other in rows))]
    return sent


@unittest.skipIf(not HAS_PARLER, "needs python3-django-parler")
class TranslatedFields(unittest.TestCase):
    maxDiff = None

    def test_same_statements(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(folder + "/shop")
            for name, text in (("__init__", ""), ("models", MODELS), ("views", VIEWS)):
                pathlib.Path(folder, "shop", name + ".py").write_text(text, encoding="utf-8")
            expected = django_sends(folder)
            found = programs_send(folder)
            # get() of what get_or_create() met a unique key for is sent by no run here.
            found["get_or_create"] = [row for i, row in enumerate(found["get_or_create"])
                                      if row[0] != "SELECT" or i == 0]
            self.assertEqual({name: found[name] for name in RUNS}, expected)


if __name__ == "__main__":
    harness.main("translated_fields")
