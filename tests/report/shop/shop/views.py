from django.core.mail import send_mail
from django.db import transaction

from .models import Counter, Voucher


def increment(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count += 1
    counter.save()


def redeem(voucher_id):
    with transaction.atomic():
        voucher = Voucher.objects.get(id=voucher_id)
        if voucher.is_used:
            raise ValueError("used already")
        voucher.is_used = True
        voucher.save()
    send_mail("Redeemed", voucher.code, None, ["shop@example.com"])


def rename(voucher_id, code):
    voucher = Voucher.objects.get(id=voucher_id)
    voucher.code = code
