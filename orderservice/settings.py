"""Everything that is configured, read from the environment in one place.

Each variable is typed; a missing or malformed one refuses to start and says what it wants.
With ``DEBUG=1`` defaults are convenient, with ``DEBUG=0`` (the default) they are safe.
"""

from datetime import timedelta
from urllib.parse import urlsplit
from zlib import crc32

from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port, validate_host
from django.utils.crypto import salted_hmac

from orderservice.database import database, given_url, local_url
from orderservice.environment import (
    BASE_DIR,
    DEBUG,
    MOST_HOURS,
    choice,
    configured,
    env,
    hosts,
    hours,
    limits,
    lines,
    mail_server,
    minutes,
    networks,
    origins,
    public_url,
    seconds,
    service,
    url,
    whole,
)
from orderservice.observability import configure_logging

MISSING = [
    name
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "INVENTORY_SERVICE_URL")
    if not (given_url() if name == "DATABASE_URL" else configured(name))
]
if MISSING and not DEBUG:
    raise ImproperlyConfigured(f"{', '.join(MISSING)} must be set when DEBUG=0 (see .env.example)")

# --- the process ---------------------------------------------------------------------------------

SECRET_KEY = configured("SECRET_KEY") or "development-only-" + "x" * 40
if not DEBUG and (len(SECRET_KEY) < 40 or SECRET_KEY.startswith("development-only")):
    raise ImproperlyConfigured("SECRET_KEY must be a random string of at least 40 characters")
ALLOWED_HOSTS = hosts("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
PORT = whole("PORT", 3000, most=65535)
PUBLIC_URL = public_url("PUBLIC_URL", ALLOWED_HOSTS, PORT)
WEB_THREADS = whole("WEB_THREADS", 8, most=1000)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "orderservice.apps.OrderDeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "orders",
]

MIDDLEWARE = [
    "orderservice.observability.RequestLogMiddleware",
    "orderservice.content_security.ContentSecurityMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # What follows is for who has a cookie, and for pages.
    "orderservice.calls.ShortWayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "orders.signin.sessions.SessionEndMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "orderservice.urls"
WSGI_APPLICATION = "orderservice.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- the database --------------------------------------------------------------------------------

DATABASES = {"default": database(given_url() or local_url())}
USES_LOCAL_POSTGRES = DEBUG and not given_url()
# The worker's LISTEN can't pass through a transaction pooler.
WORKER_DATABASE_URL = env.str("WORKER_DATABASE_URL", "")
BACKUP_DIR = env.str("BACKUP_DIR", "")  # where backup_db writes to
PG_BINDIR = env.str("PG_BINDIR", "")  # whose pg_dump, pg_restore and psql it uses
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "orders.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = 60 * 60  # seconds that a link for a new password works
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # asks first whether somebody is locked out
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "admin:login"
SESSION_ENGINE = "orders.signin.session_keys"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds since the sign-in: a working day
SESSION_IDLE_SECONDS = minutes("SESSION_IDLE_MINUTES", 60)
SESSION_COOKIE_HTTPONLY = True
STAFF_REQUIRE_TOTP = env.bool("STAFF_REQUIRE_TOTP", False)

# The limits are in orders/signin/lockout.py.
AXES_HANDLER = "orders.signin.lockout.LockoutHandler"
AXES_LOCKOUT_CALLABLE = "orders.signin.pages.locked_out"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# --- the inventory service -----------------------------------------------------------------------

INVENTORY_SERVICE_URL = service("INVENTORY_SERVICE_URL", "http://127.0.0.1:8001/api/v1")
INVENTORY_DIALECT = choice("INVENTORY_DIALECT", "inventory", "inventory", "gateway")
INVENTORY_API_KEY = env.str("INVENTORY_API_KEY", "")
INVENTORY_CHECK_TIMEOUT_SECONDS = seconds("INVENTORY_CHECK_TIMEOUT_SECONDS", 3.0)
INVENTORY_TIMEOUT_SECONDS = seconds("INVENTORY_TIMEOUT_SECONDS", 10.0)
INVENTORY_SETTLE_SECONDS = seconds("INVENTORY_SETTLE_SECONDS", 120.0)
INVENTORY_HONOURS_IDEMPOTENCY = env.bool("INVENTORY_HONOURS_IDEMPOTENCY", False)
INVENTORY_SERIALIZE_PRODUCTS = env.bool("INVENTORY_SERIALIZE_PRODUCTS", True)
if not INVENTORY_SERIALIZE_PRODUCTS and not INVENTORY_HONOURS_IDEMPOTENCY:
    raise ImproperlyConfigured(
        "INVENTORY_SERIALIZE_PRODUCTS=0 loses stock unless INVENTORY_HONOURS_IDEMPOTENCY=1"
    )
INVENTORY_SOLE_WRITER = env.bool("INVENTORY_SOLE_WRITER", False)

# --- the catalogue -------------------------------------------------------------------------------

CATALOG_SERVICE_URL = service("CATALOG_SERVICE_URL")  # whose prices orders must have; optional
CATALOG_TIMEOUT_SECONDS = seconds("CATALOG_TIMEOUT_SECONDS", 3.0)

# --- the shop ------------------------------------------------------------------------------------

CURRENCY = env.str("CURRENCY", "USD")
SHOP_NAME = env.str("SHOP_NAME", "Order desk")
OTP_TOTP_ISSUER = SHOP_NAME  # as an app for codes shows it
SHOP_ADDRESS = lines("SHOP_ADDRESS")
ORDER_DUE_HOURS = whole("ORDER_DUE_HOURS", 24, most=MOST_HOURS)
PENDING_EXPIRE_HOURS = hours("PENDING_EXPIRE_HOURS")  # None: nothing is cancelled by its age

# --- the API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orders.api.authentication.ApiKeyAuthentication",
        "orders.api.authentication.BearerAuthentication",
        "orders.api.authentication.NoOtherScheme",
        "orders.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "orders.api.negotiation.Negotiation",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["orders.api.throttles.CallThrottle"],
    "DEFAULT_PARSER_CLASSES": ["orders.api.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "orders.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,  # ?format= is an unknown parameter like any other
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "SIGNING_KEY": salted_hmac("orders.tokens", "", SECRET_KEY, algorithm="sha256").hexdigest(),
    "ISSUER": "order-service",
    "AUDIENCE": "order-service",
}
API_THROTTLES = limits("API_THROTTLES")
REDIS_URL = url("REDIS_URL", "redis", "rediss", "unix")  # counts what is throttled; optional
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "orderservice.cache.SharedCache",
            "LOCATION": REDIS_URL,
            # What is kept are objects of figures.py, and another release's may have another shape.
            "KEY_PREFIX": f"orders.{crc32((BASE_DIR / 'orders' / 'figures.py').read_bytes()):x}",
        }
    }
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # bytes: the API contract's limit of a body

CORS_ALLOWED_ORIGINS = origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/(api|health)(/|$)"
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CSRF_FAILURE_VIEW = "orderservice.urls.csrf_failure"
CSRF_TRUSTED_ORIGINS = origins("CSRF_TRUSTED_ORIGINS")

# --- pages ---------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_HOST = service("STATIC_HOST").rstrip("/")  # a CDN before us, which browsers load files from
STATIC_URL = f"{STATIC_HOST}/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    }
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG  # looked for as asked for, not at start
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # all that we serve names them

UNFOLD = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_SYMBOL": "package_2",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": "orders.admin.assets.no_inline_colours",
    "STYLES": [
        "orders.admin.assets.theme",
        "orders.admin.assets.accessible_stylesheet",
        "orders.admin.assets.stylesheet",
    ],
    "SCRIPTS": ["orders.admin.assets.script", "orders.admin.assets.accessible_script"],
    "DASHBOARD_CALLBACK": "orders.admin.dashboard.page.context",
    "SIDEBAR": {"navigation": "orders.admin.navigation.sidebar"},
    "ACCOUNT": {"navigation": "orders.admin.navigation.account"},
}

# --- transport security --------------------------------------------------------------------------

TRUSTED_PROXIES = networks("TRUSTED_PROXIES")  # who may say whom a request comes from
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", not DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics$"]  # probes and scrapes come past the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- mail ---------------------------------------------------------------------------------------

MAIL_SERVER = mail_server("EMAIL_URL")
SENDS_MAIL = MAIL_SERVER is not None  # else nobody is offered a link for a forgotten password
if MAIL_SERVER is not None:
    _host, _ = split_domain_port(urlsplit(PUBLIC_URL).netloc)
    if not PUBLIC_URL or not validate_host(_host, ALLOWED_HOSTS):
        raise ImproperlyConfigured(
            "EMAIL_URL needs PUBLIC_URL, where links in mails lead, on a host of ALLOWED_HOSTS"
        )
    _is_here = _host in ("localhost", "127.0.0.1", "[::1]")
    if not DEBUG and PUBLIC_URL.startswith("http:") and not _is_here:
        raise ImproperlyConfigured(
            "EMAIL_URL needs a PUBLIC_URL with https://, or who reads on the way uses the link"
        )
    EMAIL_BACKEND = "orderservice.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.host, MAIL_SERVER.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL_SERVER.user, MAIL_SERVER.password
    EMAIL_USE_TLS = MAIL_SERVER.scheme == "smtp+tls"
    EMAIL_USE_SSL = MAIL_SERVER.scheme == "smtps"
    EMAIL_TIMEOUT = 10  # seconds for each step before the mail; smtp.py has the limit of them all
    DEFAULT_FROM_EMAIL = MAIL_SERVER.sender

# --- metrics -------------------------------------------------------------------------------------

METRICS_TOKEN = configured("METRICS_TOKEN")  # unset, there is no /metrics
if METRICS_TOKEN and (len(METRICS_TOKEN) < 20 or not METRICS_TOKEN.isascii()):
    raise ImproperlyConfigured("METRICS_TOKEN must be a random string of at least 20 characters")

# --- traces --------------------------------------------------------------------------------------

# Its value, and all other OTEL_ variables, are read by OpenTelemetry itself.
SENDS_SPANS = bool(
    url("OTEL_EXPORTER_OTLP_ENDPOINT", "https", "http")
    or url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https", "http")
)

# --- logs ----------------------------------------------------------------------------------------

SENTRY_DSN = url("SENTRY_DSN", "https", "http")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", "production")
also_told = []
if SENTRY_DSN:
    from orderservice import sentry  # who has none need not wait for it

    sentry.start(SENTRY_DSN, environment=SENTRY_ENVIRONMENT)
    also_told.append(sentry.tell)

LOGGING_CONFIG = None
configure_logging(
    level=choice("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    json=choice("LOG_FORMAT", "console" if DEBUG else "json", "json", "console") == "json",
    also=also_told,
)
