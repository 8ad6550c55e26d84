"""save() writes every column: a new title brings the old price back, and the reverse."""

from django.db import transaction

from .models import Listing


def set_title(listing_id, title):
    listing = Listing.objects.get(id=listing_id)
    listing.title = title
    listing.save()


def set_price(listing_id, price):
    listing = Listing.objects.get(id=listing_id)
    listing.price = price
    listing.save()


# Each writes its own column.


def set_title_update_fields(listing_id, title):
    listing = Listing.objects.get(id=listing_id)
    listing.title = title
    listing.save(update_fields=["title"])


def set_price_update_fields(listing_id, price):
    listing = Listing.objects.get(id=listing_id)
    listing.price = price
    listing.save(update_fields=["price"])


# The same without reading the row at all.


def set_title_by_update(listing_id, title):
    Listing.objects.filter(id=listing_id).update(title=title)


def set_price_by_update(listing_id, price):
    Listing.objects.filter(id=listing_id).update(price=price)


# The row is locked from the read to the write, so the whole row may be written.


def set_title_locked(listing_id, title):
    with transaction.atomic():
        listing = Listing.objects.select_for_update().get(id=listing_id)
        listing.title = title
        listing.save()


def set_price_locked(listing_id, price):
    with transaction.atomic():
        listing = Listing.objects.select_for_update().get(id=listing_id)
        listing.price = price
        listing.save()
