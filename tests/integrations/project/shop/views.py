import asyncio
import threading

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse

from .models import Item


def stock(request, pk):
    return HttpResponse(Item.objects.get(pk=pk).stock)  # line: stock


def sell(request, pk):
    item = Item.objects.get(pk=pk)
    item.stock -= 1
    item.save()  # line: sell
    return HttpResponse(item.stock)


def in_thread(request, pk):
    def work():
        list(Item.objects.filter(pk=pk))  # line: in_thread
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return HttpResponse()


async def awaited(request, pk):
    item = await sync_to_async(Item.objects.get)(pk=pk)  # line: awaited
    return HttpResponse(item.stock)


async def name_of(pk):
    item = await sync_to_async(Item.objects.get)(pk=pk)  # line: gathered
    return item.name


async def gathered(request, pk):
    return HttpResponse(" ".join(await asyncio.gather(name_of(pk), name_of(pk))))
