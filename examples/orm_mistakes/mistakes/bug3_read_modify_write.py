"""Read, add one, write: two calls at once count as one."""

from django.db import transaction
from django.db.models import F

from .models import Counter, VersionedCounter
from .retry import serializable


def increment(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count = counter.count + 1
    counter.save()


# The database does the sum.


def increment_by_f(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count = F("count") + 1
    counter.save(update_fields=["count"])


def increment_by_update(counter_id):
    Counter.objects.filter(id=counter_id).update(count=F("count") + 1)


# The row is locked before it is read.


def increment_locked(counter_id):
    with transaction.atomic():
        counter = Counter.objects.select_for_update().get(id=counter_id)
        counter.count += 1
        counter.save()


# The write goes through only if nobody wrote since the read.


class Conflict(Exception):
    pass


def increment_versioned(counter_id):
    counter = VersionedCounter.objects.get(id=counter_id)
    updated = VersionedCounter.objects.filter(id=counter_id, version=counter.version).update(
        count=counter.count + 1, version=counter.version + 1
    )
    if updated == 0:
        raise Conflict("counter %s was changed meanwhile" % counter_id)


# The database finds the conflict, and the call is made again.


@serializable
def increment_serializable(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count += 1
    counter.save()
