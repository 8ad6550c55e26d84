"""Two objects in memory for one row: the older one writes its old courier back."""

from django.db import transaction

from .models import Parcel


def assign_courier(parcel_id):
    parcel = Parcel.objects.get(id=parcel_id)
    parcel.courier = Parcel.BIKE
    parcel.save()


def register_parcel():
    with transaction.atomic():
        parcel = Parcel.objects.create(courier=Parcel.NO_COURIER, status=Parcel.REGISTERED)
        assign_courier(parcel.id)
        parcel.status = Parcel.READY
        parcel.save()
    return parcel


# The row is read again after the call that changed it.


def register_parcel_refreshed():
    with transaction.atomic():
        parcel = Parcel.objects.create(courier=Parcel.NO_COURIER, status=Parcel.REGISTERED)
        assign_courier(parcel.id)
        parcel.refresh_from_db()
        parcel.status = Parcel.READY
        parcel.save()
    return parcel


# One object for the row, handed to whoever needs it.


def give_to_courier(parcel):
    parcel.courier = Parcel.BIKE
    parcel.save()


def register_parcel_shared():
    with transaction.atomic():
        parcel = Parcel.objects.create(courier=Parcel.NO_COURIER, status=Parcel.REGISTERED)
        give_to_courier(parcel)
        parcel.status = Parcel.READY
        parcel.save()
    return parcel


# Only the column that was meant is written.


def register_parcel_update_fields():
    with transaction.atomic():
        parcel = Parcel.objects.create(courier=Parcel.NO_COURIER, status=Parcel.REGISTERED)
        assign_courier(parcel.id)
        parcel.status = Parcel.READY
        parcel.save(update_fields=["status"])
    return parcel
