"""What a search looks into, as the trigram indexes have it."""

from django.db.models import F, Func, TextField


class Customer(Func):
    """An order's name and e-mail in capitals, apart from each other by a line break."""

    template = r"UPPER(%(expressions)s)"
    arg_joiner = r" || E'\n' || "
    arity = 2
    output_field = TextField()


CUSTOMER = Customer(F("full_name"), F("email"))
