from django.db import IntegrityError, transaction
from . import models


class Keeper:
    limit = 3

    def __init__(self, shelf):
        self.shelf = shelf

    def fill(self, words):
        made = []
        for n, word in enumerate(words):
            try:
                with transaction.atomic():
                    made.append(models.Tag.objects.create(word=word))
            except (IntegrityError, models.Tag.DoesNotExist) as error:
                print(error)
                continue
            else:
                if n > self.limit:
                    break
            finally:
                self.shelf.name += word
        while made:
            made.pop().delete()
        self.shelf.save()


def fill(request, pk):
    shelf = models.Shelf.objects.filter(pk=pk).first()
    if shelf is None:
        shelf = models.Shelf(name=f"shelf {pk:>3}")
    Keeper(shelf).fill([word for word in request.GET.getlist("w") if word] or ["a", "b"])
    items = shelf.items.select_related("shelf").prefetch_related("tags")
    names = {i.title: i.count for i in items}
    if not (n := items.count()) or "x" in names:
        raise ValueError(n)
    models.Item.objects.bulk_create([models.Item(shelf=shelf, count=k) for k in range(2)])
    items.filter(pk__in=items.values_list("pk", flat=True)).delete()
    items[0].tags.add(models.Tag.objects.get(word="w"))
    return lambda: shelf.items.exists()
