"""People and programs that may log in, and what they may do. Knows no customer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from demarc.base.models import Partner, choices_check


class LoginKind(models.TextChoices):
    STAFF = "staff", "Staff"
    CUSTOMER = "customer", "Customer"


class Role(models.Model):
    """A named set of permissions (staff.permissions lists the words); shipped ones are made by a migration."""

    name = models.CharField(max_length=60, unique=True)
    permissions: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=40), default=list)

    def __str__(self) -> str:
        return self.name


class Login(AbstractBaseUser):
    """Who may enter by a door: the staff application (kind staff) or the portal (kind customer)."""

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=150, blank=True)
    kind = models.CharField(max_length=10, choices=LoginKind.choices, default=LoginKind.STAFF)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="logins")
    partners: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        Partner, blank=True, help_text="Empty: all partners."
    )
    zone = models.CharField(max_length=60, blank=True, default="", help_text="Empty: the partner's.")
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


class ApiToken(models.Model):
    """A program's key. Only its SHA-256 is kept; `prefix` lets people tell tokens apart."""

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(unique=True)
    role = models.ForeignKey(Role, models.PROTECT, related_name="tokens")
    partners: models.ManyToManyField[Any, Any] = models.ManyToManyField(Partner, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by_label = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
