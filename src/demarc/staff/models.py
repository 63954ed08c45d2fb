"""People and programs that may log in, and what they may do. Knows no customer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from demarc.base.models import Partner, choices_check


class LoginKind(models.TextChoices):
    STAFF = "staff", "Staff"
    CUSTOMER = "customer", "Customer"


class Role(models.Model):
    """A named set of permissions (staff.permissions lists the words); shipped ones are made by a migration."""

    name = models.CharField(max_length=60, unique=True)
    permissions: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=40), default=list)
    shipped = models.CharField(max_length=60, blank=True, default="", help_text="Its name in staff.shipped.")
    bound = models.BooleanField(default=False, help_text="Whoever holds it works for named providers only.")
    second_factor = models.BooleanField(default=False, help_text="Whoever holds it must have a second factor.")

    def __str__(self) -> str:
        return self.name


class Login(AbstractBaseUser):
    """Who may enter by a door: the staff application (kind staff) or the portal (kind customer)."""

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=150, blank=True)
    kind = models.CharField(max_length=10, choices=LoginKind.choices, default=LoginKind.STAFF)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="logins")
    partners: models.ManyToManyField[Any, Any] = models.ManyToManyField(Partner, blank=True)
    everywhere = models.BooleanField(default=False, help_text="For all partners, while none is named.")
    granted: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Words besides those of the role."
    )
    withdrawn: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Words of the role that do not hold."
    )
    zone = models.CharField(max_length=60, blank=True, default="", help_text="Empty: the partner's.")
    language = models.CharField(max_length=5, blank=True, default="", help_text="Of mail to him. Empty: English.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: BaseUserManager[Any] = BaseUserManager()

    class Meta:
        constraints = [choices_check("kind", LoginKind, "staff_login_kind")]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def is_staff(self) -> bool:
        """allauth and Django ask for it; the staff application is the only such door."""
        return self.kind == LoginKind.STAFF


class Session(AbstractBaseSession):
    """One browser in which somebody logged in (staff.sessions writes it); a row deleted is a session ended."""

    login = models.ForeignKey(Login, models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(max_length=60, blank=True, help_text="In words: Firefox on Linux.")
    address = models.GenericIPAddressField(null=True)
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "staff_session"


class Device(models.Model):
    """A browser from which somebody logged in before; it is known again by a cookie, of which the SHA-256 is kept."""

    login = models.ForeignKey(Login, models.CASCADE, related_name="devices")
    digest = models.BinaryField()
    words = models.CharField(max_length=60)
    address = models.GenericIPAddressField(null=True, help_text="Where it was seen last.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["login", "digest"], name="staff_device_once")]


class ResetCode(models.Model):
    """A code that was mailed to somebody who forgot his password; only its SHA-256 is kept, and it is good once."""

    login = models.ForeignKey(Login, models.CASCADE, related_name="+")
    digest = models.BinaryField(unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class SavedView(models.Model):
    """A way of looking at a list that somebody keeps: the query of its address (filters, search, order, columns)."""

    login = models.ForeignKey(Login, models.CASCADE, related_name="views", db_index=False)
    list_name = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    state = models.CharField(max_length=2000, blank=True)
    is_default = models.BooleanField(default=False, help_text="Shown when the list is opened with nothing picked.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["login", "list_name", "name"], name="staff_view_name"),
            models.UniqueConstraint(
                fields=["login", "list_name"], condition=Q(is_default=True), name="staff_view_one_default"
            ),
        ]


class ApiToken(models.Model):
    """A program's key. Only its SHA-256 is kept; `prefix` lets people tell tokens apart."""

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(unique=True)
    role = models.ForeignKey(Role, models.PROTECT, related_name="tokens")
    scopes: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=40), null=True, help_text="Which of the role's words hold; null: all of them."
    )
    networks: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=43), default=list, blank=True, help_text="Where it may be used; empty: anywhere."
    )
    partners: models.ManyToManyField[Any, Any] = models.ManyToManyField(Partner, blank=True)
    everywhere = models.BooleanField(default=False, help_text="For all partners, while none is named.")
    created_at = models.DateTimeField(db_default=Now())
    created_by_label = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
