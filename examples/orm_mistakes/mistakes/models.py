"""The tables of a small shop, one group for each bug module."""

from django.db import models


# bug1_aliased_objects


class Parcel(models.Model):
    REGISTERED = 1
    READY = 2

    NO_COURIER = 0
    BIKE = 1
    VAN = 2

    courier = models.IntegerField(default=NO_COURIER)
    status = models.IntegerField(default=REGISTERED)


# bug2_stale_save


class Listing(models.Model):
    title = models.CharField(max_length=80)
    price = models.IntegerField()


# bug3_read_modify_write


class Counter(models.Model):
    count = models.IntegerField(default=0)


class VersionedCounter(models.Model):
    count = models.IntegerField(default=0)
    version = models.IntegerField(default=0)


# bug4_check_then_act


class Order(models.Model):
    PAID = "paid"
    SHIPPED = "shipped"
    STATES = [(PAID, "paid"), (SHIPPED, "shipped")]

    email = models.EmailField()
    state = models.CharField(max_length=10, choices=STATES, default=PAID)


# bug5_stale_total


class Invoice(models.Model):
    paid = models.IntegerField(default=0)


class Payment(models.Model):
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    amount = models.IntegerField()


class Campaign(models.Model):
    pledged = models.IntegerField(default=0)


class Pledge(models.Model):
    # Campaigns are archived to another database while their pledges stay.
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.DO_NOTHING,
        related_name="pledges",
        db_constraint=False,
    )
    amount = models.IntegerField()


class Account(models.Model):
    owner = models.CharField(max_length=80)


class Entry(models.Model):
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    amount = models.IntegerField()


# bug6_late_lock


class Booking(models.Model):
    passenger = models.CharField(max_length=80)


class Seat(models.Model):
    booking = models.ForeignKey(
        Booking, on_delete=models.SET_NULL, related_name="seats", null=True, blank=True
    )


class Cabin(models.Model):
    number = models.IntegerField()


class Reservation(models.Model):
    cabin = models.ForeignKey(Cabin, on_delete=models.PROTECT, related_name="reservations")
    passenger = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cabin"], name="one_reservation_a_cabin"),
        ]
