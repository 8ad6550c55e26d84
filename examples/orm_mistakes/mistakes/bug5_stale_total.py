"""A total summed from rows that another call is adding to."""

from django.db import transaction
from django.db.models import F, Sum

from .models import Account, Campaign, Entry, Invoice, Payment, Pledge
from .retry import serializable


def record_payment(invoice_id, amount):
    with transaction.atomic():
        invoice = Invoice.objects.get(id=invoice_id)
        Payment.objects.create(invoice=invoice, amount=amount)
        invoice.paid = invoice.payments.aggregate(total=Sum("amount"))["total"]
        invoice.save()


# The same where the database knows of no foreign key: nothing makes the two meet early.


def record_pledge(campaign_id, amount):
    with transaction.atomic():
        campaign = Campaign.objects.get(id=campaign_id)
        Pledge.objects.create(campaign=campaign, amount=amount)
        campaign.pledged = campaign.pledges.aggregate(total=Sum("amount"))["total"]
        campaign.save()


# The parent is locked first, before any other read.


def record_payment_locked(invoice_id, amount):
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(id=invoice_id)
        Payment.objects.create(invoice=invoice, amount=amount)
        invoice.paid = invoice.payments.aggregate(total=Sum("amount"))["total"]
        invoice.save()


def record_pledge_locked(campaign_id, amount):
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(id=campaign_id)
        Pledge.objects.create(campaign=campaign, amount=amount)
        campaign.pledged = campaign.pledges.aggregate(total=Sum("amount"))["total"]
        campaign.save()


# The database adds. The parent is updated first: the payment's foreign key would take a
# shared lock on it, and two of those waiting for an exclusive one are a deadlock.


def record_payment_by_update(invoice_id, amount):
    with transaction.atomic():
        Invoice.objects.filter(id=invoice_id).update(paid=F("paid") + amount)
        Payment.objects.create(invoice_id=invoice_id, amount=amount)


# The database finds the conflict, and the call is made again.


@serializable
def record_payment_serializable(invoice_id, amount):
    invoice = Invoice.objects.get(id=invoice_id)
    Payment.objects.create(invoice=invoice, amount=amount)
    invoice.paid = invoice.payments.aggregate(total=Sum("amount"))["total"]
    invoice.save()


# No total is kept: rows are only ever added, and summed when somebody asks.


def post_entry(account_id, amount):
    account = Account.objects.get(id=account_id)
    Entry.objects.create(account=account, amount=amount)


def balance(account_id):
    return Entry.objects.filter(account_id=account_id).aggregate(total=Sum("amount"))["total"] or 0
