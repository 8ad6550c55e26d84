#!/usr/bin/env python3
"""By which ways work comes into a project, as `dump --stage=roots` tells them: from routes, decorators, bases, registries."""
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness


class Roots(unittest.TestCase):
    def roots(self, **files):
        """{function: how it is reached} of a project of these modules, `a__b` for a/b.py."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name.replace("__", "/") + ".py")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                for inner in path.parents:
                    if inner != pathlib.Path(folder) and pathlib.Path(folder) in inner.parents:
                        (inner / "__init__.py").touch()
            code, out, err = harness.lostwrite("dump", "--stage=roots", ".", cwd=folder)
        self.assertEqual((code, err), (0, ""))
        return {symbol: text for symbol, text in re.findall(r"^[^:]+:\d+: ([^:]+): (.*)$", out, re.M)}

    def test_routes(self):
        self.assertEqual(self.roots(
            site__urls="""
from django.urls import include, path
from django.contrib import admin
inner = [path("<int:pk>/", include([path("close/", "shop.views.close")]))]
urlpatterns = [path("shop/", include("shop.urls")), path("inner/", include(inner)), path("admin/", admin.site.urls)]
""",
            shop__urls="""
from django.conf.urls import url
from django.urls import path
from django.contrib.auth.decorators import login_required
from shop import views
from shop.views import Edit
urlpatterns = [
    url(r"^orders/(?P<pk>\\d+)/$", views.order),
    path("edit/<slug:name>/", login_required(Edit.as_view(), login_url="/")),
]
urlpatterns += [path("sub/", views.Sub.as_view())]
""",
            shop__views="""
from django.views import View
def order(request, pk): pass
def close(request, pk): helper(request)
def helper(request): pass
def plain(order): pass
class Edit(View):
    def get(self, request, name): pass
    def post(self, request, name): pass
    def get_price(self): pass
class Mixin:
    def post(self, request): pass
class Sub(Mixin, View):
    pass
"""), {
            "shop.views.order": "view /shop/orders/<pk>/",
            "shop.views.close": "view /inner/<pk>/close/",
            "shop.views.helper": "view",
            "shop.views.Edit.get": "view /shop/edit/<name>/",
            "shop.views.Edit.post": "view /shop/edit/<name>/",
            "shop.views.Mixin.post": "view /shop/sub/",
        })

    def test_patterns_of_old(self):
        self.assertEqual(self.roots(
            urls="""
from django.conf.urls.defaults import *
urlpatterns = patterns("", url(r"^", include("shop.urls")))
""",
            shop__urls="""
from django.conf.urls.defaults import *
urlpatterns = patterns("shop.views", url(r"^cart/(?P<id>\\d+)$", "cart"), url("^pay$", view="pay"))
""",
            shop__views="def cart(request, id): pass\ndef pay(request): pass\n"), {
            "shop.views.cart": "view /cart/<id>",
            "shop.views.pay": "view /pay",
        })

    def test_routers(self):
        self.assertEqual(self.roots(
            urls="""
from django.urls import include, path
from rest_framework.routers import DefaultRouter
from views import Orders, ping
router = DefaultRouter()
router.register(r"orders", Orders)
urlpatterns = [path("api/", include(router.urls)), path("ping/", ping)]
""",
            views="""
from rest_framework.decorators import action, api_view
from rest_framework.viewsets import ModelViewSet
class Orders(ModelViewSet):
    def perform_update(self, serializer): pass
    def create(self, request): pass
    @action(detail=True, methods=["post"])
    def close(self, request, pk=None): pass
    @action(detail=False)
    def recent(self, request): pass
    def helper(self): pass
@api_view(["POST"])
def ping(request): pass
"""), {
            "views.Orders.perform_update": "view /api/orders/<pk>/",
            "views.Orders.create": "view /api/orders/",
            "views.Orders.close": "view /api/orders/<pk>/close/",
            "views.Orders.recent": "view /api/orders/recent/",
            "views.ping": "view /ping/",
        })

    def test_what_no_route_leads_to(self):
        self.assertEqual(self.roots(
            shop__models="""
from django.db import models
class Order(models.Model):
    def close(self): pass
""",
            shop__tasks="""
import celery, django_rq, huey.contrib.djhuey as huey
from celery import shared_task
from shop.celery import app
@shared_task
def a(): pass
@app.task(bind=True)
def b(self): pass
@django_rq.job("high")
def c(): pass
@huey.db_task()
def d(): pass
class E(celery.Task):
    def run(self): pass
    def other(self): pass
""",
            shop__management__commands__prune="""
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    def handle(self, *args, **options): self.step()
    def step(self): pass
""",
            shop__signals="""
from django.db.models.signals import post_save
from django.dispatch import receiver
from shop.models import Order
@receiver(post_save, sender=Order)
def on_save(sender, instance, **kwargs): pass
def connected(sender, instance, **kwargs): pass
post_save.connect(connected, sender=Order)
""",
            shop__middleware="""
class Seen:
    def __call__(self, request): pass
class SeenMiddleware:
    def __init__(self, get_response): pass
    def __call__(self, request): pass
""",
            shop__admin="""
from django.contrib import admin
from shop.models import Order
@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    actions = ["close"]
    def close(self, request, queryset): pass
    def save_model(self, request, obj, form, change): pass
    @admin.display
    def shown(self, obj): pass
@admin.action(description="x")
def close_all(modeladmin, request, queryset): pass
""",
            shop__schema="""
import graphene
class CloseOrder(graphene.Mutation):
    def mutate(self, info, id): pass
"""), {
            "shop.tasks.a": "task", "shop.tasks.b": "task", "shop.tasks.c": "task", "shop.tasks.d": "task",
            "shop.tasks.E.run": "task",
            "shop.management.commands.prune.Command.handle": "management command prune",
            "shop.signals.on_save": "signal receiver", "shop.signals.connected": "signal receiver",
            "shop.middleware.SeenMiddleware.__call__": "middleware",
            "shop.admin.OrderAdmin.close": "admin action", "shop.admin.close_all": "admin action",
            "shop.admin.OrderAdmin.save_model": "admin", "shop.admin.OrderAdmin": "admin form of Order",
            "shop.schema.CloseOrder.mutate": "mutation CloseOrder",
        })


if __name__ == "__main__":
    harness.main("roots")
