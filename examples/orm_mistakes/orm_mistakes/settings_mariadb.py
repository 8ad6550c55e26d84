"""MariaDB or MySQL; DB_ISOLATION as the server spells its levels."""

import os

from .settings import *  # noqa: F401,F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": os.environ.get("DB_NAME", "mistakes"),
        "USER": os.environ.get("DB_USER", "mistakes"),
        "PASSWORD": os.environ.get("DB_PASSWORD", ""),
        "HOST": os.environ.get("DB_HOST", "127.0.0.1"),
        "PORT": os.environ.get("DB_PORT", "3306"),
        "OPTIONS": {
            "isolation_level": os.environ.get("DB_ISOLATION", "repeatable read"),
        },
    }
}
