"""The letters to the people who work here, as shipped: plain text, nothing to click. Knows no person."""

from typing import NamedTuple

RESET_EN = """Hello {name},

somebody asked for a new password for your login to Demarc. If that was you, type this code on the page where you asked:

    {code}

It is good once and for half an hour. If it was not you, do nothing: your password stays as it is.
"""
RESET_ES = """Hola, {name}:

alguien ha pedido una contraseña nueva para su cuenta de Demarc. Si ha sido usted, escriba este código en la página
donde la pidió:

    {code}

Sirve una sola vez y durante media hora. Si no ha sido usted, no haga nada: su contraseña no cambia.
"""
NEW_DEVICE_EN = """Hello {name},

a device that was not used before logged in to Demarc as you:

    {device}
    from {address}
    {when}

If that was you, all is well. If not, log in and change your password at once: it ends all sessions. Then tell an
administrator.
"""
NEW_DEVICE_ES = """Hola, {name}:

un dispositivo que no se había usado antes ha entrado en Demarc con su cuenta:

    {device}
    desde {address}
    {when}

Si ha sido usted, todo está bien. Si no, entre y cambie su contraseña enseguida: así se cierran todas las sesiones.
Después avise a un administrador.
"""


class StaffLetter(NamedTuple):
    """`text` has {name} and what its kind names: reset {code}; new_device {device}, {address}, {when}."""

    subject: str
    text: str


LETTERS: dict[str, dict[str, StaffLetter]] = {
    "reset": {
        "en": StaffLetter("Your code for a new password", RESET_EN),
        "es": StaffLetter("Su código para una contraseña nueva", RESET_ES),
    },
    "new_device": {
        "en": StaffLetter("A new device logged in as you", NEW_DEVICE_EN),
        "es": StaffLetter("Un dispositivo nuevo ha entrado con su cuenta", NEW_DEVICE_ES),
    },
}
