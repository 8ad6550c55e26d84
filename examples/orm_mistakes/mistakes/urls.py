from django.urls import path

from . import views

app_name = "mistakes"
urlpatterns = [
    path("parcels/", views.register_parcel, name="register_parcel"),
    path("listings/<int:listing_id>/title/", views.set_title, name="set_title"),
    path("listings/<int:listing_id>/price/", views.set_price, name="set_price"),
    path("counters/<int:counter_id>/increment/", views.increment, name="increment"),
    path("orders/<int:order_id>/ship/", views.ship, name="ship"),
    path("invoices/<int:invoice_id>/payments/", views.record_payment, name="record_payment"),
    path("campaigns/<int:campaign_id>/pledges/", views.record_pledge, name="record_pledge"),
    path("accounts/<int:account_id>/entries/", views.post_entry, name="post_entry"),
    path("accounts/<int:account_id>/balance/", views.balance, name="balance"),
    path("seats/<int:seat_id>/book/", views.book_seat, name="book_seat"),
    path("cabins/<int:cabin_id>/reserve/", views.reserve_cabin, name="reserve_cabin"),
]
