"""A lock taken after the snapshot that it should protect, and let go before COMMIT."""

from django.db import IntegrityError, transaction

from .locks import lock
from .models import Booking, Cabin, Reservation, Seat


class AlreadyBooked(Exception):
    pass


def book_seat(seat_id, passenger):
    with transaction.atomic():
        seat = Seat.objects.get(id=seat_id)
        booking = Booking.objects.create(passenger=passenger)

        with lock():
            seat.refresh_from_db()
            # Somebody else may have been here since: raise, and the booking is rolled back.
            if seat.booking:
                raise AlreadyBooked
            seat.booking = booking
            seat.save()


# The lock is taken before the transaction begins and let go after it ended.


def book_seat_lock_outside(seat_id, passenger):
    with lock():
        with transaction.atomic():
            seat = Seat.objects.get(id=seat_id)
            if seat.booking:
                raise AlreadyBooked
            seat.booking = Booking.objects.create(passenger=passenger)
            seat.save()


# The row itself is the lock, held until COMMIT; a locking read is never old.


def book_seat_locked(seat_id, passenger):
    with transaction.atomic():
        seat = Seat.objects.select_for_update().get(id=seat_id)
        if seat.booking_id is not None:
            raise AlreadyBooked
        seat.booking = Booking.objects.create(passenger=passenger)
        seat.save()


# A constraint keeps the rule whatever the code does.


def reserve_cabin(cabin_id, passenger):
    cabin = Cabin.objects.get(id=cabin_id)
    try:
        Reservation.objects.create(cabin=cabin, passenger=passenger)
    except IntegrityError:
        raise AlreadyBooked
