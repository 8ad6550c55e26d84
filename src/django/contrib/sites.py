# The site of the settings is read once in each process: its first use sends this.
from django.conf import settings
from django.db import models


class SiteManager(models.Manager):
    def get_current(self, request=None):
        return self.get(pk=settings.SITE_ID)

    def get_by_natural_key(self, domain):
        return self.get(domain=domain)


class Site(models.Model):
    domain = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=50)
    objects = SiteManager()

    class Meta:
        db_table = "django_site"
        ordering = ["domain"]
