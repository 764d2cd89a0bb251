"""``/track/{id}``: one order, for whoever may see it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page, require_safe

from orders import queries
from orders.actor import Actor
from orders.status import Door
from orders.tracking import answers
from orders.tracking.words import told

# A form sent here changes nothing, so it needs no token; and the refusal of one without would be
# logged with the path, which holds the order's id.


@csrf_exempt
@answers.shown
@require_safe
@conditional_page  # tagged by its content: another viewer and a new release change that, too
def track(request: HttpRequest, order_id: str = "") -> HttpResponse:
    """Show the order that the path names, or that there is none, in the same words for all.

    The way to the sign-in is ``?sign-in`` here, a link that is the same on every page: one with
    the order's path in it would make the pages differ.
    """
    if "sign-in" in request.GET:
        return HttpResponseRedirect(_sign_in(order_id))
    viewer = answers.viewer(request)
    # Nothing that is only read is recorded, so it does not matter through which door.
    order = queries.find(queries.named(order_id), actor=Actor(via=Door.API, user=viewer))
    return render(
        request,
        "orders/tracking/order.html",
        {
            "shop": settings.SHOP_NAME,
            "order": told(order, queries.events(order.number)),
            "is_owned": order.owner_id is not None,
            "viewer": viewer,
        },
    )


def _sign_in(order_id: str) -> str:
    page = reverse("tracking:sign_in")
    if not order_id:
        return page
    return f"{page}?{urlencode({'next': reverse('tracking:order', args=[order_id])})}"
