from django.apps import AppConfig

from .connections import on_each_connection
from .comments import comment_statement


class LostwriteConfig(AppConfig):
    name = "lostwrite_django"
    verbose_name = "lostwrite"

    def ready(self):
        on_each_connection(comment_statement)
