from django.core.management.base import BaseCommand

from shop.models import Item


class Command(BaseCommand):
    def handle(self, *args, **options):
        Item.objects.update(stock=10)  # line: restock
