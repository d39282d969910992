"""Django settings. What an operator may set is read in `env.py`; the rest is decided here."""

from datetime import timedelta
from typing import Any

from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF

from tracker import env

BASE_DIR = env.BASE_DIR
DATA_DIR = env.DATA_DIR
TRACKER_ENV = env.TRACKER_ENV
DEBUG = env.DEBUG
SECRET_KEY = env.SECRET_KEY
ALLOWED_HOSTS = env.ALLOWED_HOSTS
BASE_URL = env.BASE_URL
LIVE_URL = env.LIVE_URL
SOCKETS_URL = env.SOCKETS_URL
TRUSTED_PROXIES = env.TRUSTED_PROXIES
REGISTRATION = env.REGISTRATION
DEFAULT_PROJECT = env.DEFAULT_PROJECT
RATE_LIMITS = env.RATE_LIMITS
MAX_UPLOAD_MIB = env.MAX_UPLOAD_MIB
MAX_IMPORT_MIB = env.MAX_IMPORT_MIB
UPLOAD_TYPES = env.UPLOAD_TYPES
ATTACHMENT_RETENTION_DAYS = env.ATTACHMENT_RETENTION_DAYS
FILES_ACCEL_PREFIX = env.FILES_ACCEL_PREFIX

INSTALLED_APPS = [
    "daphne",
    "tracker.admin_apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "channels",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "tracker",
    "accounts",
    "issues",
    "dashboard",
    "transfer",
]

MIDDLEWARE = [
    "tracker.web.scheme.SchemeMiddleware",
    "tracker.web.request_id.RequestIdMiddleware",
    "tracker.access_log.AccessLogMiddleware",
    "tracker.api.limits.RateLimitMiddleware",
    "tracker.web.failures.FailureMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tracker.web.policy.ContentPolicyMiddleware",
    "tracker.web.limits.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "tracker.api.routing.ApiPathMiddleware",
    "tracker.web.slash.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "tracker.urls"
WSGI_APPLICATION = "tracker.wsgi.application"
ASGI_APPLICATION = "tracker.asgi.application"
APPEND_SLASH = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
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

# --- database ------------------------------------------------------------------------------------
IS_POSTGRES = "postgresql" in str(env.DATABASE["ENGINE"])
DATABASES: dict[str, dict[str, Any]] = {"default": dict(env.DATABASE)}
if IS_POSTGRES:
    DATABASES["default"] |= {
        "ENGINE": "tracker.postgres",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": f"-c statement_timeout={env.STATEMENT_TIMEOUT_SECONDS * 1000} -c lock_timeout=5000"
        },
    }
else:
    DATABASES["default"] |= {
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }

# --- Redis, or its embedded counterparts ------------------------------------------------------------
REDIS_URL = env.REDIS_URL
if REDIS_URL:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
    CELERY_BROKER_URL = REDIS_URL
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CELERY_BROKER_URL = "memory://localhost/"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.05}
SHARES_COUNTERS = bool(REDIS_URL)
CACHES = {  # of each process its own: what is in it costs less than a question to Redis
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis may be away for as long as it likes

# --- identity --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
SESSION_ENGINE = "accounts.session_engine"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "tracker.web.errors.csrf_failure"
_IS_SECURE = env.BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_SECURE
SECURE_HSTS_SECONDS = 31_536_000 if _IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _IS_SECURE
SECURE_SSL_REDIRECT = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.TRUSTED_PROXIES else None
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # the proxy in front redirects to https
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [env.BASE_URL]
CORS_ALLOWED_ORIGINS = env.CORS_ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key", "if-match", "if-none-match", "x-request-id")
CORS_EXPOSE_HEADERS = (
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
)

ACCESS_TOKEN_LIFETIME = timedelta(minutes=env.ACCESS_TOKEN_MINUTES)
REFRESH_TOKEN_LIFETIME = timedelta(days=env.REFRESH_TOKEN_DAYS)
JWT_SIGNING_KEY = env.JWT_SIGNING_KEY
JWT_PRIVATE_KEY_FILE = env.JWT_PRIVATE_KEY_FILE

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "img-src": [SELF, "data:"],
    }
}
if env.LIVE_URL:  # sockets have another address than pages
    _live = env.LIVE_URL.partition("://")[2].partition("/")[0]
    _is_live_secure = env.LIVE_URL.startswith(("https:", "wss:"))
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"] = [
        SELF,
        f"{'wss' if _is_live_secure else 'ws'}://{_live}",
        f"{'https' if _is_live_secure else 'http'}://{_live}",
    ]

# --- API -------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["tracker.api.parsers.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["tracker.api.renderers.OrjsonRenderer"],
    "DEFAULT_SCHEMA_CLASS": "tracker.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "tracker.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Issues & Insights Tracker",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# --- language, time, files ---------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES: dict[str, Any] = {
    "default": {  # the modes are of uploads alone: collected static files may be another user's to send
        "BACKEND": "tracker.files.storage.LocalFiles",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "tracker.server.static.HashedStaticFiles"},
}
MEDIA_ROOT = DATA_DIR / "files"
FILE_UPLOAD_HANDLERS = ["tracker.files.uploads.SkipFiles"]  # views that take files ask for them: `read_files`

LOGGING_CONFIG = "tracker.logs.configure"
LOGGING = {"level": env.LOG_LEVEL, "json": env.IS_PRODUCTION}
