# A content type is read once in each process: its first use sends this.
from django.db import models


class ContentTypeManager(models.Manager):
    def get_by_natural_key(self, app_label, model):
        return self.get(app_label=app_label, model=model)

    def get_for_model(self, model, for_concrete_model=True):
        return self.get(app_label=model._meta.app_label, model=model._meta.model_name)

    def get_for_id(self, id):
        return self.get(pk=id)


class ContentType(models.Model):
    app_label = models.CharField(max_length=100)
    model = models.CharField(max_length=100)
    objects = ContentTypeManager()

    class Meta:
        db_table = "django_content_type"
        unique_together = [["app_label", "model"]]

    def natural_key(self):
        return (self.app_label, self.model)
