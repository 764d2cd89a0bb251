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
 && /venv/bin/python -m compileall -q /app
# Maps of sources must be there while names are hashed, and serve nobody after that.
# Brotli has compressed the static files, which are served as they are: nothing runs it later.

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=3000
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin orders
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
EXPOSE 3000
# Asks under a name that the service answers to. The worker serves nothing: run it without.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os; from urllib.request import Request, urlopen; host = os.environ['ALLOWED_HOSTS'].split(',')[0].lstrip('.*') or 'localhost'; urlopen(Request(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "orderservice.wsgi"]
