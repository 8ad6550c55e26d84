"""Both example projects in one Django, as the lab runs them; the database is chosen by measure.use."""

from orm_mistakes.settings import *  # noqa: F401,F403

INSTALLED_APPS = [
    "mistakes.apps.MistakesConfig",
    "polls.apps.PollsConfig",
    "backoffice",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
]
ROOT_URLCONF = "lab_urls"
ALLOWED_HOSTS = ["testserver"]
EMAIL_BACKEND = "schedules.EffectBackend"
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
]
DEBUG = False
