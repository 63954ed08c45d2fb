"""Django's settings, all derived from project.config; the only other inputs are the secrets in the data directory."""

from pathlib import Path

import psycopg

from demarc.project.config import Config

CONFIG = Config.from_environment()
PACKAGE = Path(__file__).resolve().parent.parent

SECRET_KEY = CONFIG.secret("django") or "only-for-commands-that-need-no-secret-such-as-makemigrations"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "demarc.project.urls"
WSGI_APPLICATION = "demarc.project.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "demarc.base",
    "demarc.ui",
    "demarc.staff",
    "demarc.customers",
    "demarc.plans",
    "demarc.billing",
    "demarc.network",
    "demarc.access",
    "demarc.messages",
    "demarc.project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "demarc.ui.middleware.PageHeaders",
    "demarc.project.api.problems",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demarc.ui.looks.theme",
                "demarc.staff.doors.viewer",
            ],
        },
    }
]


def database(url: str) -> dict[str, object]:
    """Django's description of the database at `url`."""
    given = psycopg.conninfo.conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname", "demarc"),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "OPTIONS": given,
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


# `apart` is the same database on a connection of its own: refusals and failed logins are written there, so that they
# outlive the transaction that was rolled back.
DATABASES = {
    "default": database(CONFIG.app_url()),
    "apart": database(CONFIG.app_url()) | {"ATOMIC_REQUESTS": False, "TEST": {"MIRROR": "default"}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "staff.Login"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "demarc.staff.passwords.NotTheUsual"},
]
LOGIN_URL = "/login/"
ACCOUNT_ADAPTER = "demarc.staff.adapter.StaffAdapter"
ACCOUNT_FORMS = {"login": "demarc.staff.forms.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = False  # allauth counts in each process's cache; StaffAdapter counts for all of them
LOGIN_REDIRECT_URL = "/"

# Django's own default mails errors to nobody. The supervisor collects what the processes write to standard error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR"}},
}

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("es", "Español"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("pt", "Português"),
    ("cs", "Čeština"),
    ("ru", "Русский"),
]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

SESSION_ENGINE = "demarc.staff.sessions"
SESSION_COOKIE_NAME = "demarc_staff"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CONFIG.web_tls
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "demarc_csrf"
CSRF_FAILURE_VIEW = "demarc.staff.web.old_form"
CSRF_COOKIE_SECURE = CONFIG.web_tls
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
PROCRASTINATE_AUTOSTART = False
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
DEMARC_KEYS = CONFIG.data / "keys"
DEMARC_SEALS = CONFIG.data / "seals"
