"""Production settings: MySQL at the isolation level its server has by default.

The other settings modules beside this one import everything from here and
replace DATABASES only; pick one with DJANGO_SETTINGS_MODULE or --settings.
"""

import os

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "an example has no secrets")
DEBUG = os.environ.get("DJANGO_DEBUG", "") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

INSTALLED_APPS = [
    "mistakes.apps.MistakesConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]

ROOT_URLCONF = "orm_mistakes.urls"
WSGI_APPLICATION = "orm_mistakes.wsgi.application"

# Django asks MySQL for READ COMMITTED unless told otherwise; this project
# wants the server's own default.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "mistakes",
        "USER": "mistakes",
        "HOST": "127.0.0.1",
        "PORT": "3306",
        "OPTIONS": {
            "isolation_level": "repeatable read",
        },
    }
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = "shop@example.com"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
