from django.db import models


class Item(models.Model):
    name = models.CharField(max_length=80)
    stock = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    is_sold = models.BooleanField(default=False)
    made_at = models.DateTimeField(null=True)
    notes = models.JSONField(default=dict)
