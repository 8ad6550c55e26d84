"""Statements, parameters and rows as a recording tells them (docs/recording.md): what is equal is told equally, read or sent."""

import datetime
import decimal
import json
import math
import re
import uuid

from django.utils.functional import Promise

JSON_CHARS_MAX = 1 << 16
_PLACEHOLDER = re.compile(r"%(?:\((?P<name>[^)]*)\)s|s|%)")
NOT_TOLD = {}


def _json_text(value):
    """As PostgreSQL prints a jsonb: keys by length, then by bytes."""
    def ordered(node):
        if isinstance(node, dict):
            return {key: ordered(node[key]) for key in sorted(node, key=lambda key: (len(str(key).encode()), str(key).encode()))}
        return [ordered(item) for item in node] if isinstance(node, (list, tuple)) else node

    return json.dumps(ordered(value), ensure_ascii=False, default=str)


def _text(value):
    """A text; JSON, which a server gives back in an order of its own, in that order: nobody tells of which type a parameter is."""
    if value[:1] in ("{", "[") and len(value) <= JSON_CHARS_MAX:
        try:
            return _json_text(json.loads(value))
        except ValueError:
            pass
    return value


def value_of(value):
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (str, Promise)):
        return _text(str(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)
        return value.isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (datetime.timedelta, uuid.UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"hex": bytes(value).hex()}
    if isinstance(value, (dict, list, tuple)):
        return _json_text(value)
    for name in ("adapted", "obj"):  # the Json of psycopg2, of psycopg
        if hasattr(value, name):
            return _json_text(getattr(value, name))
    return NOT_TOLD


def values_of(values):
    return [value_of(value) for value in values]


def statement_of(sql, params, vendor):
    """The text with a recording's placeholders in place of the driver's, `?` of MySQL and `$1` of others, and the values in their order."""
    if params is None:
        return sql, []
    is_numbered = vendor != "mysql"
    values = []
    numbers = {}

    def placeholder(match):
        if match.group() == "%%":
            return "%"
        name = match.group("name")
        if is_numbered and name in numbers:
            return "$%d" % numbers[name]
        values.append(params[name] if name is not None else params[len(values)])
        if name is not None:
            numbers[name] = len(values)
        return "$%d" % len(values) if is_numbered else "?"

    text = _PLACEHOLDER.sub(placeholder, sql)
    return text, values_of(values)
