"""What the database refuses is told by names alone, through whichever door it came."""

import logging
import traceback
from collections.abc import Callable
from smtplib import SMTPRecipientsRefused

import psycopg
import pytest
import structlog
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order
from orders.status import Verb
from orderservice import redaction
from orderservice.backups.tools import failed
from tests.admin.pages import press
from tests.api.calls import ORDERS, body
from tests.canary import written
from tests.factories import OPERATOR, order_of, staff
from tests.refused import CANARY, EMAIL, NAME, STREET, place, refused, tells_only_names


def at_the_api(sandbox: Sandbox) -> None:
    sent = body() | {"fullName": NAME, "email": EMAIL, "address": STREET}
    client = Client(raise_request_exception=False)
    with refused():
        before = transaction.savepoint()  # it writes outside of any block, which here is the test's
        assert client.post(ORDERS, sent, content_type="application/json").status_code == 500
        transaction.savepoint_rollback(before)


def in_the_admin(sandbox: Sandbox) -> None:
    placed = place()
    client = Client(raise_request_exception=False)
    client.force_login(staff("manager"))
    with refused():
        assert press(client, placed, "hold").status_code == 500


def in_a_batch(sandbox: Sandbox) -> None:
    batch = lifecycle.open_batch(Verb.CANCEL, [place().pk], actor=OPERATOR, reason="customer")
    with refused():
        lifecycle.carry_out_next(batch.pk, after=0)


def in_a_confirmation(sandbox: Sandbox) -> None:
    placed = order_of(p10=1)
    Order.objects.filter(pk=placed.pk).update(**CANARY)
    lifecycle.open_batch(Verb.CONFIRM, [placed.pk], actor=OPERATOR)
    with refused():
        lifecycle.advance_due()


@pytest.mark.django_db
@pytest.mark.parametrize("fail", [at_the_api, in_the_admin, in_a_batch, in_a_confirmation])
def test_line_of_a_refused_row_names_the_constraint_and_nobody(
    fail: Callable[[Sandbox], None], sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 5})
    with written() as lines:
        fail(sandbox)
    [line] = [line for line in lines if "IntegrityError" in line]
    tells_only_names(line)


@pytest.mark.django_db
def test_exception_among_a_line_s_values_or_a_record_s_arguments_is_told_likewise() -> None:
    with pytest.raises(IntegrityError) as raised, refused(), transaction.atomic():
        place()
    with written() as lines:
        structlog.get_logger("ours").warning("refused", error=raised.value)
        logging.getLogger("theirs").error("refused: %s (%r)", raised.value, raised.value.__cause__)
    for line in lines:
        assert "constraint refused_by_test" in line
        assert "Birdsong" not in line
        assert EMAIL not in line


def database_says(statement: str, *values: str) -> DatabaseError:
    """Return the error that a statement gets."""
    with (
        pytest.raises(DatabaseError) as raised,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
    return raised.value


@pytest.mark.django_db
def test_what_the_database_says_is_told_where_no_row_is_in_it() -> None:
    for statement, values, told in (
        ("SELECT %s::int", [NAME], "SQLSTATE 22P02"),
        ("SELECT * FROM birds", [], 'relation "birds" does not exist (SQLSTATE 42P01)'),
        ("SET LOCAL statement_timeout = 10; SELECT pg_sleep(9)", [], "statement timeout"),
    ):
        assert told in redaction.told(database_says(statement, *values))
        assert NAME not in redaction.told(database_says(statement, *values))


def test_what_no_server_has_said_is_told_of_connections_alone() -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=1")
    assert redaction.told(raised.value) == str(raised.value)
    assert "port 1 failed" in str(raised.value)
    assert redaction.told(psycopg.DataError(f"can't parse date {NAME!r}")) == ""
    assert redaction.told(IntegrityError(f"Key (email)=({EMAIL}) exists")) == ""


def test_words_that_repeat_what_was_sent_are_not_told() -> None:
    refusal = SMTPRecipientsRefused({EMAIL: (550, b"unknown user")})
    assert redaction.summary(refusal) == "smtplib.SMTPRecipientsRefused"
    assert redaction.told(ValidationError(f"{NAME} is no name")) == ""
    noted = KeyError("quantity")
    noted.add_note("of an item")
    assert redaction.summary(noted) == "KeyError: 'quantity'\nof an item"


def test_stack_is_python_s_own_where_nothing_is_hidden() -> None:
    def fail() -> None:
        try:
            try:
                int("x")
            except ValueError as exc:
                raise LookupError("first") from exc
        except LookupError:
            raise RuntimeError("second")  # noqa: B904 - the context is meant

    with pytest.raises(RuntimeError) as raised:
        fail()
    assert (
        redaction.stack(raised.value) == "".join(traceback.format_exception(raised.value)).strip()
    )
    raised.value.__cause__ = raised.value  # a circle
    assert redaction.stack(raised.value).count("RuntimeError: second") == 1


def test_members_of_a_group_are_told_like_others() -> None:
    group = ExceptionGroup("several", [IntegrityError(EMAIL), ValueError("seen")])
    told = redaction.stack(group)
    assert EMAIL not in told
    assert "django.db.utils.IntegrityError" in told
    assert "ValueError: seen" in told
    assert len(list(redaction.chain(group))) == 3


def test_what_postgresql_s_programs_say_is_told_without_rows() -> None:
    said = f"psql:<stdin>:9: ERROR:  duplicate key\nDETAIL:  Key (email)=({EMAIL}) exists.\n"
    said += f'CONTEXT:  COPY orders_order, line 1: "1\t{NAME}\t{STREET}"\n'
    assert failed("/usr/bin/psql", 3, said).endswith(
        "exit 3: psql:<stdin>:9: ERROR:  duplicate key"
    )
