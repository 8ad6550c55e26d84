"""PostgreSQL; DB_ISOLATION is "read committed", "repeatable read" or "serializable"."""

import os

from psycopg2 import extensions

from .settings import *  # noqa: F401,F403

ISOLATION_LEVELS = {
    "read committed": extensions.ISOLATION_LEVEL_READ_COMMITTED,
    "repeatable read": extensions.ISOLATION_LEVEL_REPEATABLE_READ,
    "serializable": extensions.ISOLATION_LEVEL_SERIALIZABLE,
}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("DB_NAME", "mistakes"),
        "USER": os.environ.get("DB_USER", "mistakes"),
        "PASSWORD": os.environ.get("DB_PASSWORD", ""),
        "HOST": os.environ.get("DB_HOST", "127.0.0.1"),
        "PORT": os.environ.get("DB_PORT", "5432"),
        "OPTIONS": {
            "isolation_level": ISOLATION_LEVELS[os.environ.get("DB_ISOLATION", "read committed")],
        },
    }
}
