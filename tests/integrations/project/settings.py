"""A small project with lostwrite_django; the database comes from the environment, as JSON."""

import json
import os
import pathlib

BASE_DIR = pathlib.Path(__file__).resolve().parent
SECRET_KEY = "of no use"
INSTALLED_APPS = ["shop"] + (["lostwrite_django"] if os.environ.get("WITH_COMMENTS", "1") == "1" else [])
DATABASES = json.loads(os.environ["DATABASES"])
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
CELERY_TASK_ALWAYS_EAGER = True
