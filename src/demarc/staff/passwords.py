"""Which passwords are refused: short ones, and those that everybody uses, by the list that ships with Django."""

from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError

from demarc.core.errors import Refused
from demarc.staff.models import Login


class NotTheUsual(CommonPasswordValidator):
    """Django's list of 20,000, in words that say what to do."""

    def get_error_message(self) -> str:
        """Why it was refused."""
        return "This password is one of those that everybody uses, and that are tried first. Choose another one."

    def get_help_text(self) -> str:
        """What to keep in mind."""
        return "Not one of the passwords that everybody uses."


def set_password(login: Login, password: str, *, field: str) -> None:
    """Put the password on the login, unsaved. Refused: it is too weak."""
    try:
        validate_password(password, login)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field=field, code="password_weak") from error
    login.set_password(password)
