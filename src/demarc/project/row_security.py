"""Row policies: which rows demarc_scoped sees and may write, table by table. All other roles see every row.

A table with a partner_id is one partner's row by row, without being named here; its parts are named in PARTS. What is
named nowhere is out of reach. Run by the owner after the migrations (project.roles), so that it holds for tables of
any age; a policy is made anew only where it differs, for that locks the table. The variables are base.confinement's.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

ALL = "select, insert, update, delete"
WRITTEN_ONCE = ("billing_transfer", "base_operationlog", "base_logseal")
"""The application may not change or remove these rows either."""

# In a sub-select, so that the variable is read once for each statement; the cast makes it an array, not a set of rows.
PARTNERS = "any ((select nullif(current_setting('demarc.partners', true), '')::bigint[])::bigint[])"
ACTOR = "(select current_setting('demarc.actor', true))"
OWN = f"partner_id = {PARTNERS}"
OWN_ACT = f"(partner_id is null and actor_kind || ':' || actor_id = {ACTOR})"
MADE_NOW = "'{kind}:' || id = any (string_to_array(current_setting('demarc.made', true), ' '))"
"""Who is made in this very transaction has no partners yet. Not in a sub-select: the row that is being made asks, too,
and a trigger has named it a moment ago (staff 0007)."""

ACCOUNT = ("account_id", "customers_account")
SERVICE = ("service_id", "plans_service")
DOCUMENT = ("document_id", "billing_document")
SUBSCRIBER = ("subscriber_id", "access_subscriber")
NAS = ("nas_id", "access_nas")
PARTS = {
    "customers_accountterms": ACCOUNT,
    "plans_planprice": ("plan_id", "plans_plan"),
    "plans_servicefact": SERVICE,
    "plans_discount": SERVICE,
    "billing_daydecision": ACCOUNT,
    "billing_prepaidstate": ACCOUNT,
    "billing_previewrow": ("run_id", "billing_invoicerun"),
    "billing_documentline": DOCUMENT,
    "billing_documenttax": DOCUMENT,
    "billing_cover": SERVICE,
    "billing_allocation": DOCUMENT,
    "billing_billedthrough": SERVICE,
    "billing_promise": ACCOUNT,
    "billing_waverow": ("wave_id", "billing_wave"),
    "billing_deactivation": ACCOUNT,
    "network_routercause": ("router_id", "network_router"),
    "access_fairuse": ("plan_id", "plans_plan"),
    "access_monthuse": SERVICE,
    "access_staticaddress": SUBSCRIBER,
    "access_staticprefix": SUBSCRIBER,
    "access_boundmac": SUBSCRIBER,
    "access_usage": SERVICE,
    "access_coaintent": NAS,
    "access_poolblock": ("pool_id", "network_pool"),
    "access_lease": SERVICE,
    "access_movingin": NAS,
    "access_learned": SUBSCRIBER,
    "messages_lowepisode": ACCOUNT,
    "staff_savedview": ("login_id", "staff_login"),
    "staff_device": ("login_id", "staff_login"),
    "mfa_authenticator": ("user_id", "staff_login"),
    "account_emailaddress": ("user_id", "staff_login"),
}
"""A part is seen where the row is that it belongs to: its column, and the table, whose own policy decides."""


@dataclass(frozen=True)
class Rows:
    """What demarc_scoped may do with a table's rows: those that `seen` is true of, and `written`, where that differs.
    `also_read`: those that it may read besides."""

    seen: str
    written: str = ""
    privileges: str = ALL
    also_read: str = ""


SPECIAL = {
    "base_partner": Rows(f"id = {PARTNERS}", privileges="select, update"),
    "base_setting": Rows(OWN, also_read="partner_id is null"),
    "base_searchword": Rows(OWN, privileges="select"),
    "base_operationlog": Rows(f"{OWN} or {OWN_ACT}", privileges="select, insert"),
    "base_idempotency": Rows(f"scope = {ACTOR}"),
    "billing_transfer": Rows(OWN, privileges="select, insert"),
    "staff_login": Rows(
        f"'staff:' || id = {ACTOR} or demarc_works_within(id) or {MADE_NOW.format(kind='staff')}", written="true"
    ),
    "staff_login_partners": Rows(f"{OWN} and exists (select from staff_login owner where owner.id = login_id)"),
    "staff_apitoken": Rows(
        f"'token:' || id = {ACTOR} or demarc_opens_within(id) or {MADE_NOW.format(kind='token')}", written="true"
    ),
    "staff_apitoken_partners": Rows(
        f"{OWN} and exists (select from staff_apitoken owner where owner.id = apitoken_id)"
    ),
    "staff_session": Rows("login_id is null or exists (select from staff_login owner where owner.id = login_id)"),
}
SHARED = {
    "access_bookmark": "select",
    "access_feed": "insert",
    "base_logseal": "select",
    "base_subjectkey": "select, insert",
    "procrastinate_events": "insert",
    "procrastinate_jobs": "insert, select (id)",
    "staff_role": "select",
}
"""What belongs to nobody, and what is needed of it: news to radiusd and the workers, the log's sealed keys, roles."""

FUNCTIONS: tuple[LiteralString, ...] = (
    # With the owner's rights, for they look at all partners of a person: who works elsewhere too is not seen.
    """
    create or replace function demarc_works_within(login bigint) returns boolean language sql stable security definer
        set search_path = public, pg_temp as $$
        select coalesce(bool_and(
            partner_id = any (nullif(current_setting('demarc.partners', true), '')::bigint[])), false)
        from staff_login_partners where login_id = login $$
    """,
    """
    create or replace function demarc_opens_within(token bigint) returns boolean language sql stable security definer
        set search_path = public, pg_temp as $$
        select coalesce(bool_and(
            partner_id = any (nullif(current_setting('demarc.partners', true), '')::bigint[])), false)
        from staff_apitoken_partners where apitoken_id = token $$
    """,
)
TABLES = """
    select c.relname::text, exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attname = 'partner_id' and not a.attisdropped)
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
"""
PRESENT = """
    select c.relname::text, p.polname::text, obj_description(p.oid, 'pg_policy')
    from pg_class c left join pg_policy p on p.polrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relrowsecurity
"""


def apply(conn: psycopg.Connection, scoped: str, others: set[str]) -> None:
    """Bring grants and policies of the role `scoped` to this version; `others` see all rows. In a transaction of the
    caller, as the owner."""
    found: dict[str, bool] = dict(conn.execute(TABLES).fetchall())
    for function in FUNCTIONS:
        conn.execute(function)
    role = sql.Identifier(scoped)
    for kind in ("tables", "sequences"):
        conn.execute(sql.SQL("revoke all on all {} in schema public from {}").format(sql.SQL(kind), role))
        default = "alter default privileges in schema public revoke all on {} from {}"
        conn.execute(sql.SQL(default).format(sql.SQL(kind), role))
    conn.execute(sql.SQL("grant usage on all sequences in schema public to {}").format(role))
    wanted = {table: rows_of(table, has_partner) for table, has_partner in found.items()}
    for table, privileges in _privileges(wanted):
        conn.execute(sql.SQL("grant {} on {} to {}").format(sql.SQL(privileges), sql.Identifier(table), role))
    _bring_policies(conn, {table: rows for table, rows in wanted.items() if rows}, scoped, others)


def rows_of(table: str, has_partner: bool) -> Rows | None:
    """What demarc_scoped may do with a table's rows; None: nothing, or what SHARED says."""
    if table in SPECIAL:
        return SPECIAL[table]
    if table in PARTS:
        column, whole = PARTS[table]
        return Rows(f"exists (select from {whole} whole where whole.id = {table}.{column})")
    return Rows(OWN) if has_partner else None


def _privileges(wanted: dict[str, Rows | None]) -> Iterator[tuple[str, LiteralString]]:
    for table, rows in wanted.items():
        if rows or table in SHARED:
            yield table, rows.privileges if rows else SHARED[table]


def _bring_policies(conn: psycopg.Connection, wanted: dict[str, Rows], scoped: str, others: set[str]) -> None:
    present: dict[str, dict[str, str]] = {}
    for table, policy, digest in conn.execute(PRESENT):
        of_table = present.setdefault(table, {})
        if policy:
            of_table[policy] = digest
    for table in wanted.keys() | present.keys():
        made = policies(wanted[table], scoped, others) if table in wanted else {}
        digests = {name: hashlib.sha256(f"{table} {words}".encode()).hexdigest() for name, words in made.items()}
        if digests == present.get(table) and table in present:
            continue
        _replace(conn, table, present.get(table, {}), made, digests)


def policies(rows: Rows, scoped: str, others: set[str]) -> dict[str, str]:
    """A table's policies by name, as what follows CREATE POLICY name ON table."""
    made = {
        "everybody_else": f"to {', '.join(sorted(map(_name, others)))} using (true)",
        "own_rows": f"to {_name(scoped)} using ({rows.seen}) with check ({rows.written or rows.seen})",
    }
    if rows.also_read:
        made["read_besides"] = f"for select to {_name(scoped)} using ({rows.also_read})"
    return made


def _replace(
    conn: psycopg.Connection, table: str, present: dict[str, str], made: dict[str, str], digests: dict[str, str]
) -> None:
    on = sql.Identifier(table)
    switch = "alter table {} enable row level security" if made else "alter table {} disable row level security"
    conn.execute(sql.SQL(switch).format(on))
    for name in present:
        conn.execute(sql.SQL("drop policy {} on {}").format(sql.Identifier(name), on))
    for name, words in made.items():
        policy = sql.Identifier(name)
        conn.execute(sql.SQL("create policy {} on {} {}").format(policy, on, sql.SQL(words)))
        conn.execute(sql.SQL("comment on policy {} on {} is {}").format(policy, on, sql.Literal(digests[name])))


def _name(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'
