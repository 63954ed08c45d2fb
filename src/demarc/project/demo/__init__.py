"""The demo ISP: one provider, a thousand customers, thirty days of life. Deterministic by seed.

Everything is made by the rooms' own actions in their bulk form, days are billed by the run itself, and usage comes
from RADIUS packets through the accounting shipper; there is no other way in.
"""

from demarc.project.demo.fill import fill

__all__ = ["fill"]
