from django.db import models


class Counter(models.Model):
    count = models.IntegerField(default=0)


class Voucher(models.Model):
    code = models.CharField(max_length=20)
    is_used = models.BooleanField(default=False)
    note = models.TextField()
