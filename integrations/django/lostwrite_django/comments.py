"""Comments in sqlcommenter's form: /*file='shop%2Fviews.py%3A42',route='%2Forders%2F%3Cpk%3E%2F'*/, keys sorted, values URL-encoded."""

import re
from urllib.parse import quote

from .origin import tags_of_caller

# A comment that has tags already; hints (/*+ */) and MySQL's conditional SQL (/*! */) are no comments.
_TAGGED = re.compile(r"/\*(?![+!]).*?=.*?\*/", re.S)
_INSERT = re.compile(r"\s*(?:INSERT|REPLACE)\b", re.I)
_CACHED_MAX = 10000
_comments = {}  # by the tags, of which there are few


def comment_of(tags):
    if not tags:
        return ""
    key = tuple(tags.items())
    comment = _comments.get(key)
    if comment is None:
        # quote() leaves neither quotes nor stars, slashes or line ends.
        pairs = ("%s='%s'" % (quote(name, safe=""), quote(str(tags[name]), safe="")) for name in sorted(tags))
        comment = "/*%s*/" % ",".join(pairs)
        if len(_comments) >= _CACHED_MAX:
            _comments.clear()
        _comments[key] = comment
    return comment


def is_tagged(sql):
    return "/*" in sql and _TAGGED.search(sql) is not None


def _at_end(sql, comment):
    """Before a `;` at the end, and never within a comment that goes to the end of the line."""
    body = sql.rstrip()
    semicolon = ";" if body.endswith(";") else ""
    body = body.rstrip("; \t\r\n")
    if not body:
        return sql
    last_line = body[body.rfind("\n") + 1:]
    gap = "\n" if "--" in last_line or "#" in last_line else " "
    return body + gap + comment + semicolon


def add_comment(sql, comment, has_params=False, is_mysql_batch=False):
    """The statement with the comment; as it is, if it has tags already. `has_params`: `%` is to be doubled."""
    if not comment or is_tagged(sql):
        return sql
    if has_params:
        comment = comment.replace("%", "%%")
    if is_mysql_batch:
        # mysqlclient sends many INSERTs as one only if the text ends with VALUES (...).
        insert = _INSERT.match(sql)
        return sql if insert is None else "%s %s%s" % (insert.group(), comment, sql[insert.end():])
    return _at_end(sql, comment)


def comment_statement(execute, sql, params, many, context):
    """An execute wrapper (django.db.backends.base.base.BaseDatabaseWrapper.execute_wrapper)."""
    try:
        if isinstance(sql, str):
            is_mysql_batch = many and context["connection"].vendor == "mysql"
            sql = add_comment(sql, comment_of(tags_of_caller()), params is not None, is_mysql_batch)
    except Exception:
        pass  # a statement without its comment is better than none
    return execute(sql, params, many, context)
