#!/usr/bin/env python3
"""lostwrite_django's comments: what is sent to the database, and what comes back, for each way to send a statement."""
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest
from urllib.parse import quote, unquote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

import django_project as project

COMMENT = re.compile(r"/\*((?:[a-z]+='[^']*',?)+)\*/")


def tags_of(sql):
    """{key: value} of the statement's comment, which must be in sqlcommenter's form."""
    found = COMMENT.findall(sql.replace("%%", "%"))
    if len(found) != 1:
        raise AssertionError("no comment, or several: %s" % sql)
    pairs = [part.split("=", 1) for part in found[0].split(",")]
    keys = [key for key, _ in pairs]
    assert keys == sorted(keys), keys
    for _, value in pairs:
        assert quote(unquote(value[1:-1]), safe="") == value[1:-1], value
    return {key: unquote(value[1:-1]) for key, value in pairs}


class Comments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.with_comments = json.loads(project.run(project.sqlite(folder), "sent.py"))
        with tempfile.TemporaryDirectory() as folder:
            cls.without = json.loads(project.run(project.sqlite(folder), "sent.py", WITH_COMMENTS="0"))

    def sent(self, action):
        return self.with_comments[action]["sent"]

    def one(self, action):
        self.assertEqual(len(self.sent(action)), 1, self.sent(action))
        return self.sent(action)[0]

    def place(self, path, marker):
        return "%s:%d" % (path, project.line_of(path, marker))

    def test_answers_are_the_same(self):
        self.assertGreater(len(self.without), 10)
        for action, told in self.without.items():
            self.assertEqual(self.with_comments[action]["answer"], told["answer"], action)
            self.assertEqual(len(self.sent(action)), len(told["sent"]), action)
            for sql in told["sent"]:
                self.assertNotIn("file=", sql)

    def test_all_but_the_comment_is_as_without(self):
        for action, told in self.without.items():
            if action == "tagged":
                continue
            for ours, theirs in zip(self.sent(action), told["sent"]):
                self.assertEqual(re.sub(r"\s*%s" % COMMENT.pattern, "", ours.replace("%%", "%")),
                                 re.sub(r"\s*;\s*$", ";", theirs.replace("%%", "%")), action)

    def test_views(self):
        self.assertEqual(tags_of(self.one("view")),
                         {"file": self.place("shop/views.py", "stock"), "route": "/items/<int:pk>/"})
        self.assertEqual(tags_of(self.one("regex"))["route"], r"^old/(?P<pk>\d+)$")

    def test_a_thread_has_the_line_but_no_request(self):
        self.assertEqual(tags_of(self.one("thread")), {"file": self.place("shop/views.py", "in_thread")})

    def test_async_views(self):
        expected = {"file": self.place("shop/views.py", "awaited"), "route": "/awaited/<int:pk>/"}
        self.assertEqual(tags_of(self.one("awaited")), expected)
        self.assertEqual(tags_of(self.one("async under wsgi")), expected)
        # Tasks that a view starts tell where they are; nothing says whose they are.
        self.assertEqual([tags_of(sql) for sql in self.sent("gathered")], [{"file": self.place("shop/views.py", "gathered")}] * 2)

    def test_commands(self):
        path = "shop/management/commands/restock.py"
        self.assertEqual(tags_of(self.one("command")), {"command": "restock", "file": self.place(path, "restock")})

    def test_celery(self):
        if not project.has("celery"):
            self.skipTest("celery is not there")
        self.assertEqual(tags_of(self.one("task")), {"file": self.place("shop/tasks.py", "charge"), "task": "shop.tasks.charge"})

    def test_forms_of_statements(self):
        self.assertRegex(self.one("semicolon"), r"^SELECT 1 /\*[^*]*\*/;$")
        self.assertRegex(self.one("line comment"), r"^SELECT 1 -- one\n/\*[^*]*\*/$")
        self.assertEqual(self.one("tagged"), "SELECT 1 /*route='x'*/")
        self.assertRegex(self.one("hint"), r"^SELECT /\*\+ SET_VAR\(a=1\) \*/ 1 /\*file=")
        self.assertRegex(self.one("percent"), r"'100%' /\*file='[\w.]+%3A\d+'\*/$")
        self.assertRegex(self.one("percent with values"), r"'100%%', %s /\*file='[\w.]+%%3A\d+'\*/$")

    def test_a_connection_made_within_another_wrapper(self):
        self.assertEqual(len(self.sent("another")), 2)
        for sql in self.sent("another"):
            self.assertIn("file", tags_of(sql))


class AddComment(unittest.TestCase):
    """By itself, for what a project would hardly have."""

    @classmethod
    def setUpClass(cls):
        sys.path[:0] = filter(None, [os.environ.get("LOSTWRITE_DJANGO"), str(project.PACKAGE)])
        from lostwrite_django import comments

        cls.comments = comments

    def test_values_can_not_end_the_comment(self):
        comment = self.comments.comment_of({"b": "*/ ; DROP TABLE x; /*", "a": "it's\n100%\u20ac"})
        self.assertEqual(comment, "/*a='it%27s%0A100%25%E2%82%AC',b='%2A%2F%20%3B%20DROP%20TABLE%20x%3B%20%2F%2A'*/")

    def test_nothing_to_say(self):
        self.assertEqual(self.comments.comment_of({}), "")
        self.assertEqual(self.comments.add_comment("SELECT 1", ""), "SELECT 1")
        self.assertEqual(self.comments.add_comment(" ; ", "/*a='b'*/"), " ; ")

    def test_batches_of_mysql(self):
        add = self.comments.add_comment
        self.assertEqual(add("INSERT INTO t VALUES (%s)", "/*a='%2F'*/", True, True), "INSERT /*a='%%2F'*/ INTO t VALUES (%s)")
        self.assertEqual(add("UPDATE t SET a = %s", "/*a='b'*/", True, True), "UPDATE t SET a = %s")

    def test_what_fails_is_sent_as_it_is(self):
        sent = []
        answer = self.comments.comment_statement(lambda *args: sent.append(args) or 5, "SELECT 1", None, True, {})
        self.assertEqual((answer, sent), (5, [("SELECT 1", None, True, {})]))
        composed = object()
        self.comments.comment_statement(lambda *args: sent.append(args), composed, None, False, {})
        self.assertIs(sent[1][0], composed)


if __name__ == "__main__":
    harness.main("comments")
