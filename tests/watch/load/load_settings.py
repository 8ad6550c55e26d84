"""examples/orm_mistakes on the databases that the environment names, as JSON."""

import json
import os

from orm_mistakes.settings import *  # noqa: F401,F403
from orm_mistakes.settings import INSTALLED_APPS

DATABASES = json.loads(os.environ["LOAD_DATABASES"])
if os.environ["LOAD_COMMENTS"] == "1":
    INSTALLED_APPS = INSTALLED_APPS + ["lostwrite_django"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
