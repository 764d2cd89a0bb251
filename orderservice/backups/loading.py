"""Putting a dump in the place of what a database holds, in one transaction.

``pg_restore`` writes the statements and ``psql`` executes them; between the two stands what has to
be in the same transaction. What is written to a pipe is executed later, though its writer be dead:
so COMMIT is written only when ``psql`` has said that it has executed all the rest. Whoever dies
before, and however, leaves the database as it was.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from shutil import copyfileobj
from typing import IO, Any

from psycopg import sql

from orderservice.backups.archive import Archive
from orderservice.backups.database import BackupError, Database
from orderservice.backups.tools import Program, failed

HEADER_LINES = 100  # at most, before the first statement that changes anything
_HEADER_ENDS = b"SELECT pg_catalog.set_config('search_path'"
# Programs from 17 on say this to every server, and one before 17 takes it for a mistake.
_NEW_IN_17 = b"SET transaction_timeout"
_CHUNK = 1 << 20  # bytes
_STOPPED_BY_ERROR = 3  # psql's exit code: the server has refused a statement, COMMIT perhaps
_AS_IT_WAS = "The database is as it was."
_PATIENCE = "-c lock_timeout=10s -c statement_timeout=0 -c client_min_messages=warning"

# An extension is made anew where it was; of what else such a schema has, nothing is restored.
_MAKE_SCHEMAS = """
SELECT format('CREATE SCHEMA %I', name) FROM unnest({}::text[]) AS name
 WHERE to_regnamespace(quote_ident(name)) IS NULL \\gexec
"""
# The last number that was given to an order is kept for the end.
_KEEP_LAST_NUMBER = """
SELECT set_config('orders.last_number', '0', false);
DO $do$ BEGIN
  IF to_regclass('public.orders_order') IS NOT NULL THEN
    LOCK TABLE public.orders_order, public.orders_user IN ACCESS EXCLUSIVE MODE;
    PERFORM set_config('orders.last_number', coalesce(pg_sequence_last_value(
      pg_get_serial_sequence('public.orders_order', 'number')::regclass), 0)::text, false);
  END IF;
END $do$;
"""
_STILL_EMPTY = """
DO $do$ BEGIN
  IF to_regclass('public.orders_order') IS NOT NULL THEN
    IF EXISTS (SELECT FROM public.orders_order) OR EXISTS (SELECT FROM public.orders_user) THEN
      RAISE EXCEPTION 'an order or an account has come in meanwhile';
    END IF;
  END IF;
END $do$;
"""
# Numbers of orders that are lost stand on paper and in letters: nobody else is to get them.
_SKIP_NUMBERS = """
SELECT setval(seqrelid::regclass, greatest(
         coalesce(pg_sequence_last_value(seqrelid::regclass), seqstart - 1) + {skip},
         current_setting('orders.last_number')::bigint))
  FROM pg_sequence
 WHERE seqrelid = pg_get_serial_sequence('public.orders_order', 'number')::regclass
   AND ({skip} > 0 OR current_setting('orders.last_number')::bigint
                      > coalesce(pg_sequence_last_value(seqrelid::regclass), 0));
"""


def load(
    archive: Archive,
    database: Database,
    *,
    pg_restore: Program,
    psql: Program,
    server: int,
    emptying: str,
    replace: bool,
    skip_numbers: int,
) -> None:
    """Empty the schema by the given statements and fill it; after an error it is as it was.

    Unless told to ``replace``, an order or an account that comes in meanwhile is such an error. The
    next order's number is ``skip_numbers`` beyond the backup's last one. Raises BackupError, which
    says so when nobody knows whether it was committed.
    """
    with ExitStack() as opened:
        contents = opened.enter_context(tempfile.NamedTemporaryFile("w", suffix=".list"))
        contents.write(archive.contents)
        contents.flush()
        reader = opened.enter_context(
            _Running(
                [
                    pg_restore.path,
                    "--no-owner",
                    "--no-privileges",
                    f"--use-list={contents.name}",
                    "--file=-",
                    str(archive.file),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
        )
        environment = database.environment
        writer = opened.enter_context(
            _Running(
                [
                    psql.path,
                    "-Xqw",
                    "--set=ON_ERROR_STOP=1",
                    "--set=VERBOSITY=terse",  # or it would repeat the row that an error is about
                    "--output=/dev/null",  # of queries
                    "--file=-",
                    database.argument,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment
                | {"PGOPTIONS": f"{environment.get('PGOPTIONS', '')} {_PATIENCE}".strip()},
            )
        )
        source, sink, told = reader.process.stdout, writer.process.stdin, writer.process.stdout
        assert source is not None  # noqa: S101 - for the type checker; all three are pipes
        assert sink is not None  # noqa: S101 - likewise
        assert told is not None  # noqa: S101 - likewise
        committing = False
        try:
            before = "BEGIN;" + _KEEP_LAST_NUMBER + ("" if replace else _STILL_EMPTY) + emptying
            sink.write((before + _make_schemas(archive)).encode())
            _copy(source, sink, knows_transaction_timeout=server >= 17)
            reader.require_success()
            sink.write(_SKIP_NUMBERS.format(skip=int(skip_numbers)).encode())
            committing = _all_executed(sink, told)
            if committing:
                sink.write(b"COMMIT;\n")
            sink.close()
        except BrokenPipeError:
            pass  # psql has ended, and says why
        writer.require_success(committing=committing)
        if not committing:
            raise BackupError(f"psql stopped early, and did not say why.\n{_AS_IT_WAS}")


def _make_schemas(archive: Archive) -> str:
    return sql.SQL(_MAKE_SCHEMAS).format(sql.Literal(list(archive.other_schemas))).as_string()


def _all_executed(sink: IO[bytes], told: IO[bytes]) -> bool:
    """Wait until psql has executed what was written to it; return False when it won't.

    Nobody waits for the other: it writes nothing but this word, and that fits into the pipe.
    """
    word = secrets.token_hex()  # no dump has it
    sink.write(f"\\echo {word}\n".encode())
    sink.flush()
    return any(line.strip() == word.encode() for line in told)


def _copy(source: IO[bytes], sink: IO[bytes], *, knows_transaction_timeout: bool) -> None:
    for _ in range(HEADER_LINES):
        line = source.readline()
        if knows_transaction_timeout or not line.startswith(_NEW_IN_17):
            sink.write(line)
        if not line or line.startswith(_HEADER_ENDS):
            break
    copyfileobj(source, sink, _CHUNK)
    sink.flush()


class _Running:
    """A program at one end of a pipe, with what it says of errors; it ends with the block."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block
        try:
            self.process = subprocess.Popen(command, stderr=self._errors, **options)
        except BaseException:
            self._errors.close()
            raise

    def __enter__(self) -> _Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._errors.close()

    def require_success(self, *, committing: bool = False) -> None:
        """Wait for its end; raise BackupError with its own words when it failed."""
        if (code := self.process.wait()) != 0:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace")
            path = str(self.process.args[0])  # type: ignore[index] # a list, as given above
            known = not committing or code == _STOPPED_BY_ERROR
            raise BackupError(
                f"{failed(path, code, said)}\n"
                + (
                    _AS_IT_WAS
                    if known
                    else "It was about to commit, so the database may be as it was, or restored:"
                    " restore_db --dry-run says what it holds."
                )
            )
