"""The API's own description: each operation with its permission and the form of its problems. Knows no operation."""

from typing import Any

from ninja import Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from demarc.staff.apidoor import Token

REFS = "#/components/schemas/{model}"
PROBLEM_TYPE = "application/problem+json"

DESCRIPTION = """
Amounts are decimal strings in the account's currency, such as `"20.00"`. Days are days in the provider's time zone.

Lists answer with `items`, the newest first, and `next`: repeat the request with `after` set to `next` until it is
null. A page has at most 200 rows.

What moves money needs an `Idempotency-Key` header. Choose a new key for each payment, and send the same one again when
you did not hear the answer: the money moves once, and the answer is the same.

Every operation but this document needs `Authorization: Bearer TOKEN`, with a token whose role and scopes grant the
permission named in `x-permission`. Phones and e-mail addresses are masked without `contacts.see`. What goes wrong is
told as a problem (RFC 9457) that names the field to blame.
"""
TAGS = {
    "partners": "Providers, their billing rules and taxes",
    "customers": "Customers, their accounts and blocks",
    "plans": "Plans and prices",
    "services": "What customers hold, and their logins",
    "money": "Balances, the ledger, payments",
    "operations": "Who did and looked at what",
    "messages": "What customers are told, and how it is sent",
    "documents": "Invoices and credit notes, what is billed once, runs and the billing calendar",
    "network": "Routers, RADIUS clients, pools, what the blocked meet",
    "sessions": "Who is online, and was",
}


class FieldError(Schema):
    """A field that is to blame, and why."""

    field: str
    message: str


class Holder(Schema):
    """What stands in the way: a service, a pool, a router."""

    kind: str
    id: int


class Problem(Schema):
    """What went wrong (RFC 9457); `code` is a stable word for programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[FieldError] | None = None
    holder: Holder | None = None
    request_id: str


class Document(OpenAPISchema):
    """The OpenAPI document with what ninja leaves out."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """One operation, with the permission that its token needs."""
        details: dict[str, Any] = super().operation_details(operation)
        for door in operation.auth_callbacks:
            if isinstance(door, Token):
                details["x-permission"] = door.permission
        content = {PROBLEM_TYPE: {"schema": {"$ref": REFS.format(model="Problem")}}}
        details["responses"]["default"] = {"description": "A problem", "content": content}
        return details

    def get_components(self) -> dict[str, Any]:
        """The schemas, with those of problems."""
        schema = Problem.model_json_schema(ref_template=REFS, mode="serialization")
        self.add_schema_definitions(schema.pop("$defs") | {"Problem": schema})
        return super().get_components()
