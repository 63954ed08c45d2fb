"""Demarc: the system an internet provider runs on. See ARCHITECTURE.md for the map."""

__version__ = "0.1.0"
