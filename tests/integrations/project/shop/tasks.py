from celery import Celery

from .models import Item

app = Celery("shop")
app.conf.task_always_eager = True


@app.task(name="shop.tasks.charge")
def charge(pk):
    Item.objects.filter(pk=pk).update(stock=0)  # line: charge
