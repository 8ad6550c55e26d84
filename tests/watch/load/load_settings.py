"""examples/orm_mistakes on the databases that the environment names, as JSON."""

import json
import os

from orm_mistakes.settings import *  # noqa: F401,F403
from orm_mistakes.settings import INSTALLED_APPS

DATABASES = json.loads(os.environ["LOAD_DATABASES"])
INSTALLED_APPS = INSTALLED_APPS + json.loads(os.environ.get("LOAD_APPS", "[]"))
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
