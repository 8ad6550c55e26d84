from django.apps import AppConfig


class MistakesConfig(AppConfig):
    name = "mistakes"
    default_auto_field = "django.db.models.BigAutoField"
