"""What repeats a value is told by names alone, through whichever door it came."""

import asyncio
import gc
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from socket import gaierror

import psycopg
import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.template import Context, Template, TemplateDoesNotExist, TemplateSyntaxError
from django.test import Client
from django.urls import reverse

from inventory_client import InventoryError
from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import OrderNotFound
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
        logging.getLogger("theirs").error(raised.value)
    assert len(lines) == 3
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


def in_a_template() -> None:
    given = {"order": {"full_name": NAME}, "email": EMAIL}
    Template("{{ order.name|default:order.misspelt }}").render(Context(given))


def in_a_link() -> None:
    reverse("track", kwargs={"number": NAME, "order": EMAIL})


def in_a_lookup() -> None:
    dict[str, int]()[NAME]


def in_a_number() -> None:
    int(NAME)


def in_an_encoding() -> None:
    f"{NAME} Łódź".encode("ascii")


def in_a_column() -> None:
    Order._meta.pk.get_prep_value([NAME])


def in_a_note() -> None:
    exc = RuntimeError("noted")
    exc.add_note(f"when serializing {EMAIL}")
    raise exc


def in_the_system_s_name() -> None:
    raise OSError(f"no mail for {EMAIL}")  # without a number it is somebody's own sentence


def in_a_mail() -> None:
    raise SMTPRecipientsRefused({EMAIL: (550, b"unknown user")})


def in_a_form() -> None:
    raise ValidationError(f"{NAME} is no name")


def in_a_command() -> None:
    raise CommandError(f"Nothing is held on {EMAIL}.")  # as --traceback would have it logged


VALUES_ARE = [
    (in_a_template, "django.template.base.VariableDoesNotExist"),
    (in_a_link, "django.urls.exceptions.NoReverseMatch"),
    (in_a_lookup, "KeyError"),
    (in_a_number, "ValueError"),
    (in_an_encoding, "UnicodeEncodeError"),
    (in_a_column, "TypeError"),
    (in_a_note, "RuntimeError"),
    (in_the_system_s_name, "OSError"),
    (in_a_mail, "smtplib.SMTPRecipientsRefused"),
    (in_a_form, "django.core.exceptions.ValidationError"),
    (in_a_command, "django.core.management.base.CommandError"),
]


@pytest.mark.parametrize(
    ("fail", "kind"), VALUES_ARE, ids=[fail.__name__ for fail, _ in VALUES_ARE]
)
def test_words_that_repeat_a_value_are_told_of_no_link_of_a_chain(
    fail: Callable[[], None], kind: str
) -> None:
    """Neither of what failed, nor of what it was the cause or the context of."""

    def chained() -> None:
        try:
            try:
                fail()
            except Exception as exc:
                raise ValueError(str(exc)) from exc
        except ValueError as exc:
            raise OrderNotFound from exc

    with pytest.raises(OrderNotFound) as raised:
        chained()
    with written() as lines:
        structlog.get_logger("ours").error("failed", exc_info=raised.value)
        logging.getLogger("theirs").error("failed: %s", raised.value.__cause__)
    for line in lines:
        assert not any(word in line for word in (*NAME.split(), EMAIL))
    stack = redaction.stack(raised.value)
    assert f"\n{kind}\n" in stack
    assert "\nValueError\n" in stack
    assert f", in {fail.__name__}\n" in stack
    assert stack.endswith("orders.errors.OrderNotFound: There is no such order")


def test_words_that_an_operator_acts_on_are_told() -> None:
    for exc, told in (
        (OSError(28, "No space left on device", "/backups"), "No space left on device: '/backups'"),
        (gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ImproperlyConfigured("PORT must be a whole number"), "PORT must be a whole number"),
        (TemplateDoesNotExist("admin/gone.html"), "admin/gone.html"),
        (InventoryError("misconfigured", detail="Not found"), "misconfigured: Not found"),
    ):
        assert told in redaction.told(exc)
    with pytest.raises(TemplateSyntaxError) as raised:
        Template("{% misspelt %}")
    assert "'misspelt'" in redaction.told(raised.value)


def test_task_that_nobody_has_waited_for_is_told_without_its_words() -> None:
    """asyncio puts the exception's words into its own."""

    async def fail() -> None:
        raise ValueError(NAME)

    async def forget() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task
        gc.collect()

    with written() as lines:
        asyncio.run(forget())
    [line] = [line for line in lines if "Task exception was never retrieved" in line]
    assert not any(word in line for word in NAME.split())
    assert line.rstrip('"}').endswith("ValueError")


def test_stack_is_python_s_own_where_nothing_is_hidden() -> None:
    def fail() -> None:
        try:
            try:
                Path("/nowhere").stat()
            except OSError as exc:
                raise ImproperlyConfigured("first") from exc
        except ImproperlyConfigured:
            raise AttributeError("second")  # noqa: B904 - the context is meant

    with pytest.raises(AttributeError) as raised:
        fail()
    assert (
        redaction.stack(raised.value) == "".join(traceback.format_exception(raised.value)).strip()
    )
    raised.value.__cause__ = raised.value  # a circle
    assert redaction.stack(raised.value).count("AttributeError: second") == 1


def test_members_of_a_group_are_told_like_others() -> None:
    group = ExceptionGroup("several", [IntegrityError(EMAIL), NameError("seen")])
    told = redaction.stack(group)
    assert EMAIL not in told
    assert "django.db.utils.IntegrityError" in told
    assert "NameError: seen" in told
    assert len(list(redaction.chain(group))) == 3


def test_what_postgresql_s_programs_say_is_told_without_rows() -> None:
    said = f"psql:<stdin>:9: ERROR:  duplicate key\nDETAIL:  Key (email)=({EMAIL}) exists.\n"
    said += f'CONTEXT:  COPY orders_order, line 1: "1\t{NAME}\t{STREET}"\n'
    assert failed("/usr/bin/psql", 3, said).endswith(
        "exit 3: psql:<stdin>:9: ERROR:  duplicate key"
    )


def test_what_postgresql_s_programs_say_is_told_without_the_further_lines_of_a_row() -> None:
    """As a note may have them, which says whatever people type."""
    said = (
        "pg_dump: error: Dumping the contents failed\n"
        "pg_dump: detail: Error message from server: ERROR:  it has no such value\n"
        f"DETAIL:  Failing row contains (1, ring\nERROR: {NAME}\n\n{STREET}, 2).\n"
        "pg_dump: detail: Command was: COPY\n"
    )
    assert failed("/usr/bin/pg_dump", 1, said).splitlines() == [
        "pg_dump failed with exit 1: pg_dump: error: Dumping the contents failed",
        "pg_dump: detail: Error message from server: ERROR:  it has no such value",
        "pg_dump: detail: Command was: COPY",
    ]
