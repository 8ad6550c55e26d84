"""More functions over the examples' tables: the bugs with one thing changed, and the polls' view.

The schedules of most were counted before by other means (on the same servers), so they check the lab.
"""

from django.contrib.admin import site
from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import transaction
from django.db.models import Sum
from django.test import RequestFactory

from mistakes.locks import lock
from mistakes.models import Booking, Campaign, Counter, Invoice, Listing, Payment, Pledge, Seat
from polls.models import Choice, Question
from polls.views import vote


def increment_atomic(counter_id):
    with transaction.atomic():
        counter = Counter.objects.get(id=counter_id)
        counter.count = counter.count + 1
        counter.save()


def increment_read_outside(counter_id):
    counter = Counter.objects.get(id=counter_id)
    with transaction.atomic():
        counter.count = counter.count + 1
        counter.save()


def set_title_atomic(listing_id, title):
    with transaction.atomic():
        listing = Listing.objects.get(id=listing_id)
        listing.title = title
        listing.save()


def set_price_atomic(listing_id, price):
    with transaction.atomic():
        listing = Listing.objects.get(id=listing_id)
        listing.price = price
        listing.save()


def record_pledge_locked_late(campaign_id, amount):
    """The lock comes after a plain read has made the snapshot."""
    with transaction.atomic():
        Campaign.objects.get(id=campaign_id)
        campaign = Campaign.objects.select_for_update().get(id=campaign_id)
        Pledge.objects.create(campaign=campaign, amount=amount)
        campaign.pledged = campaign.pledges.aggregate(total=Sum("amount"))["total"]
        campaign.save()


def record_payment_locked_late(invoice_id, amount):
    with transaction.atomic():
        Invoice.objects.get(id=invoice_id)
        invoice = Invoice.objects.select_for_update().get(id=invoice_id)
        Payment.objects.create(invoice=invoice, amount=amount)
        invoice.paid = invoice.payments.aggregate(total=Sum("amount"))["total"]
        invoice.save()


class AlreadyBooked(Exception):
    pass


def book_seat_locked_late(seat_id, passenger):
    """The row is read FOR UPDATE, but foo.bar goes through the snapshot of the first read."""
    with transaction.atomic():
        Seat.objects.get(id=seat_id)
        booking = Booking.objects.create(passenger=passenger)
        with lock():
            seat = Seat.objects.select_for_update().get(id=seat_id)
            if seat.booking:
                raise AlreadyBooked
            seat.booking = booking
            seat.save()


# The polls site


def cast_vote(question_id, choice_id):
    request = RequestFactory().post("/", {"choice": str(choice_id)})
    response = vote(request, question_id)
    assert response.status_code == 302, response.status_code


def change_choice(choice_id, choice_text, votes):
    """The admin's change form of a choice, posted."""
    fields = {"question": "1", "choice_text": choice_text, "votes": str(votes)}
    post_to_admin(Choice, choice_id, fields)


def change_question(question_id, text, choices):
    """The admin's change form of a question, posted with its CHOICES: (id, text, votes) of each."""
    fields = {"question_text": text, "pub_date_0": "2024-01-02", "pub_date_1": "00:00:00"}
    fields["choice_set-TOTAL_FORMS"] = fields["choice_set-INITIAL_FORMS"] = str(len(choices))
    for number, (key, choice_text, votes) in enumerate(choices):
        row = {"id": key, "question": question_id, "choice_text": choice_text, "votes": votes}
        for name, value in row.items():
            fields["choice_set-%d-%s" % (number, name)] = str(value)
    post_to_admin(Question, question_id, fields)


def post_to_admin(model, key, fields):
    """A POST of the change form by somebody who may do everything. Without what goes before the
    view (the session and the user are fetched) and without the entry in the admin's own log."""
    request = RequestFactory().post("/", fields)
    request._dont_enforce_csrf_checks = True
    request._messages = CookieStorage(request)
    request.user = User(pk=1, is_active=True, is_staff=True, is_superuser=True)
    model_admin = type(site._registry[model])(model, site)
    model_admin.log_change = lambda *arguments: None
    response = model_admin.changeform_view(request, str(key))
    assert response.status_code == 302, response.context_data["errors"]


def rename_choice(choice_id, text):
    """An editor's change of another column, itself free of the bug."""
    Choice.objects.filter(id=choice_id).update(choice_text=text)
