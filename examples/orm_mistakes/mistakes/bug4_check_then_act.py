"""The state is looked at, then changed: two calls both find the order unshipped."""

from django.core.mail import send_mail
from django.db import transaction

from .models import Order


class AlreadyShipped(Exception):
    pass


def announce(order):
    send_mail("Your order is on its way", "Order %d" % order.id, None, [order.email])


def ship(order_id):
    with transaction.atomic():
        order = Order.objects.get(id=order_id)
        if order.state == Order.SHIPPED:
            raise AlreadyShipped
        announce(order)
        order.state = Order.SHIPPED
        order.save()


# The row is locked before the state is looked at; the mail goes out when all is committed.


def ship_locked(order_id):
    with transaction.atomic():
        order = Order.objects.select_for_update().get(id=order_id)
        if order.state == Order.SHIPPED:
            raise AlreadyShipped
        order.state = Order.SHIPPED
        order.save()
    announce(order)


# The check is part of the write, and the number of rows says who won.


def ship_guarded(order_id):
    won = Order.objects.filter(id=order_id, state=Order.PAID).update(state=Order.SHIPPED)
    if not won:
        raise AlreadyShipped
    announce(Order.objects.get(id=order_id))
