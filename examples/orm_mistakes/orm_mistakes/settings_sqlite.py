"""SQLite in a file, for trying things out: needs no server."""

import os

from .settings import *  # noqa: F401,F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DB_NAME", "mistakes.sqlite3"),
    }
}
