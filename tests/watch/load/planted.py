"""What the load does that examples/orm_mistakes has not: two ways on for one order, a row for each passenger, and what
the clerk does: rows to begin with, and rows as they are at the end."""

from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from mistakes.models import Booking, Counter, Listing, Order, Reservation


class TooLate(Exception):
    pass


# LW004: the state is checked, then changed.


def move_order(order_id, state):
    order = Order.objects.get(id=order_id)
    if order.state != Order.PAID:
        raise TooLate
    order.state = state
    order.save()


def move_order_guarded(order_id, state):
    if Order.objects.filter(id=order_id, state=Order.PAID).update(state=state) == 0:
        raise TooLate


def move_order_locked(order_id, state):
    with transaction.atomic():
        order = Order.objects.select_for_update().get(id=order_id)
        if order.state != Order.PAID:
            raise TooLate
        order.state = state
        order.save()


# LW007: looked up, not found, created.


def book_passenger(passenger):
    if not Booking.objects.filter(passenger=passenger).exists():
        Booking.objects.create(passenger=passenger)


def reserve(cabin_id, passenger):
    """The constraint on the cabin keeps it from being reserved twice."""
    if not Reservation.objects.filter(cabin_id=cabin_id).exists():
        try:
            with transaction.atomic():
                Reservation.objects.create(cabin_id=cabin_id, passenger=passenger)
        except IntegrityError:
            raise TooLate


# Harmless: read and written back one after the other, or with the value that is there.


def rename(listing_id, title):
    listing = Listing.objects.get(id=listing_id)
    listing.title = title
    listing.save()


def look(counter_id):
    return Counter.objects.get(id=counter_id).count


# The clerk.


def migrate():
    call_command("migrate", verbosity=0)


def make(model, values):
    return apps.get_model("mistakes", model).objects.create(**values).pk


def values_of(model, key, column):
    return apps.get_model("mistakes", model).objects.values_list(column, flat=True).get(pk=key)


def count_of(model, filters):
    return apps.get_model("mistakes", model).objects.filter(**filters).count()


def server():
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        return cursor.fetchone()[0]
