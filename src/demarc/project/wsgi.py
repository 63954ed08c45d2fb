"""The web application as a WSGI callable, for granian or any other server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demarc.project.settings")
application = get_wsgi_application()
