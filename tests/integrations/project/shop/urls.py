from django.urls import path, re_path

from . import views

urlpatterns = [
    path("items/<int:pk>/", views.stock),
    path("sell/<int:pk>/", views.sell),
    path("thread/<pk>/", views.in_thread),
    path("awaited/<int:pk>/", views.awaited),
    path("gathered/<int:pk>/", views.gathered),
    re_path(r"^old/(?P<pk>\d+)$", views.stock),
]
