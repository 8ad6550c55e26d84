"""One view for each function; a real shop would have them behind forms."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from . import bug1_aliased_objects as parcels
from . import bug2_stale_save as listings
from . import bug3_read_modify_write as counters
from . import bug4_check_then_act as orders
from . import bug5_stale_total as payments
from . import bug6_late_lock as seats


def done():
    return HttpResponse(status=204)


def conflict(reason):
    return JsonResponse({"error": reason}, status=409)


@require_POST
def register_parcel(request):
    parcel = parcels.register_parcel()
    return JsonResponse({"id": parcel.id}, status=201)


@require_POST
def set_title(request, listing_id):
    listings.set_title(listing_id, request.POST["title"])
    return done()


@require_POST
def set_price(request, listing_id):
    listings.set_price(listing_id, int(request.POST["price"]))
    return done()


@require_POST
def increment(request, counter_id):
    counters.increment(counter_id)
    return done()


@require_POST
def ship(request, order_id):
    try:
        orders.ship(order_id)
    except orders.AlreadyShipped:
        return conflict("already shipped")
    return done()


@require_POST
def record_payment(request, invoice_id):
    payments.record_payment(invoice_id, int(request.POST["amount"]))
    return done()


@require_POST
def record_pledge(request, campaign_id):
    payments.record_pledge(campaign_id, int(request.POST["amount"]))
    return done()


@require_POST
def post_entry(request, account_id):
    payments.post_entry(account_id, int(request.POST["amount"]))
    return done()


@require_GET
def balance(request, account_id):
    return JsonResponse({"balance": payments.balance(account_id)})


@require_POST
def book_seat(request, seat_id):
    try:
        seats.book_seat(seat_id, request.POST["passenger"])
    except seats.AlreadyBooked:
        return conflict("already booked")
    return done()


@require_POST
def reserve_cabin(request, cabin_id):
    try:
        seats.reserve_cabin(cabin_id, request.POST["passenger"])
    except seats.AlreadyBooked:
        return conflict("already reserved")
    return done()
