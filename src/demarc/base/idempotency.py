"""One answer for each Idempotency-Key: a program that did not hear it repeats the request and gets it again.

Kept for KEPT, which is longer than anyone repeats. That money moves once only does not hang on it: the ledger refuses a
second transfer under one key for ever.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from demarc.base.models import Idempotency
from demarc.core.errors import Refused

KEPT = timedelta(days=7)

# Waits for whoever is at work under the same key; when he was refused and rolled back, the key is free again.
CLAIM = """
INSERT INTO base_idempotency (scope, key, body_hash, answer, at) VALUES (%(scope)s, %(key)s, %(hash)s, '', %(at)s)
ON CONFLICT (scope, key) DO NOTHING RETURNING id
"""
FORGET = """
DELETE FROM base_idempotency WHERE at < %(before)s AND id IN (
    SELECT id FROM base_idempotency ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED)
"""


def once(scope: str, key: str, asked: Mapping[str, Any], *, at: datetime, answer: Callable[[], str]) -> str:
    """What `answer` answers; it is run at the first time only, in the caller's transaction.

    Refused: the key was used for something else than `asked` (code conflict).
    """
    body_hash = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"scope": scope, "key": key, "hash": body_hash, "at": at})
        claimed = cursor.fetchone()
        if claimed:
            cursor.execute(FORGET, {"before": at - KEPT})
    if claimed:
        fresh = answer()
        Idempotency.objects.filter(pk=claimed[0]).update(answer=fresh)
        return fresh
    earlier = Idempotency.objects.get(scope=scope, key=key)
    if bytes(earlier.body_hash) != body_hash:
        raise Refused("This key was used for another request; use a new one.", field="Idempotency-Key", code="conflict")
    return earlier.answer
