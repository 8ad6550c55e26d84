from .models import *
from .views import again as again
import views, .
def again(x, *args, y=again(1), **kw):
    o = Item.objects
    o.save(); o.get(**kw).save(*args)
    Item.objects.get(count__shelf__name__in=x, tags__word__year=y)
    Item.objects.update(F=1, shelf__name=2)
    return again(x=o, *args) if o else views.again.again

class Item(Item, again):
    def save(self): super().save(); self.save(); Item.save(self)
    class Meta: abstract = again
def f(:
    del Item
async def g(): await Item.objects.aget(pk=await g()); yield Item
