from django.db import transaction
from django.db.models import F, Q, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from .models import Item, Shelf, Tag


def add(request, pk):
    item = get_object_or_404(Item, pk=pk)
    item.count += 1
    if request.method == "POST" and item.is_open:
        item.title = request.POST["title"]
        item.save(update_fields=["title", "count"])
        return redirect("/")
    item.save()
    return HttpResponse(item.count)


@transaction.atomic
def move(request, pk, name):
    item = Item.objects.select_for_update().get(pk=pk)
    shelf, created = Shelf.objects.get_or_create(name=name, defaults={"name": name})
    Item.objects.filter(pk=item.pk).update(shelf=shelf, count=F("count") + 1)
    item.refresh_from_db()
    item.take(n=2)


def total(request):
    found = Item.objects.filter(Q(count__gt=3) | ~Q(title=""), shelf__name="a")
    found = found.exclude(price__isnull=True).order_by("-changed")[:3]
    total = found.aggregate(sum=Sum("count"))["sum"]
    for item in found:
        item.price = total
        item.save()
    return render(request, "total.html", {"total": total})
