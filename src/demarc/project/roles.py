"""The database's roles and what each may do. It knows table names only where a rule hangs on them.

The owner migrates and nothing else; the app may not touch what is written once; the scoped role is the app
under row policies; radiusd has just what `demarc.radiusd.grants` names.
"""

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from demarc.core.errors import Refused
from demarc.project.config import APP, DATABASE, OWNER, RADIUS, SCOPED, Config
from demarc.radiusd.grants import GRANTS

OLDEST_SERVER = 15
LOGIN_ROLES = (OWNER, APP, RADIUS)
WRITTEN_ONCE = ("billing_transfer", "base_operationlog")
OWNERS_ALONE = ("django_migrations", "base_searchword")

ROLE_FACTS = """
    select current_setting('server_version_num')::int / 10000, r.rolsuper, r.rolbypassrls, r.rolname::text
    from pg_roles r where r.rolname = current_user
"""
TABLES = "select tablename::text from pg_tables where schemaname = 'public'"
OWNS_TABLES = """
    select pg_has_role(%s, 'member') or exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'member')
    )
"""
APP_GRANTS: tuple[LiteralString, ...] = (
    "grant usage on schema public to {app}, {scoped}, {radius}",
    "grant select, insert, update, delete on all tables in schema public to {app}, {scoped}",
    "grant usage, select on all sequences in schema public to {app}, {scoped}",
    "alter default privileges in schema public grant select, insert, update, delete on tables to {app}, {scoped}",
    "alter default privileges in schema public grant usage, select on sequences to {app}, {scoped}",
    "revoke all on all tables in schema public from {radius}",
    "revoke all on all sequences in schema public from {radius}",
)


@dataclass(frozen=True)
class Roles:
    """The names that the four roles have in one database."""

    app: str = APP
    scoped: str = SCOPED
    radius: str = RADIUS

    @classmethod
    def of(cls, config: Config) -> "Roles":
        """The names in the configured database: those of the URLs, else our own."""
        if config.private_database:
            return cls()
        names = [conninfo_to_dict(url).get("user") for url in (config.app_url(), config.radius_url())]
        return cls(app=str(names[0] or APP), radius=str(names[1] or RADIUS))


def create_roles(conn: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Make the roles of a private cluster, or give those that are there their passwords. Run as superuser."""
    known = {name for (name,) in conn.execute("select rolname::text from pg_roles")}
    for role in (*LOGIN_ROLES, SCOPED):
        if role not in known:
            conn.execute(sql.SQL("create role {} nologin nocreatedb nocreaterole").format(sql.Identifier(role)))
    for role in LOGIN_ROLES:
        statement = sql.SQL("alter role {} login password {}")
        conn.execute(statement.format(sql.Identifier(role), sql.Literal(passwords[role])))
    conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(SCOPED), sql.Identifier(APP)))


def create_database(conn: psycopg.Connection, name: str = DATABASE, template: str = "template0") -> None:
    """Make a database for a private cluster's roles unless it is there. Run as superuser in autocommit."""
    if conn.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        return
    names = {
        "database": sql.Identifier(name),
        "owner": sql.Identifier(OWNER),
        "template": sql.Identifier(template),
    }
    logins = sql.SQL(", ").join(map(sql.Identifier, LOGIN_ROLES))
    for statement in (
        "create database {database} owner {owner} template {template}",
        "revoke all on database {database} from public",
        "grant connect on database {database} to {logins}",
    ):
        conn.execute(sql.SQL(statement).format(logins=logins, **names))


def prepare_private(superuser_url: str, config: Config) -> None:
    """Bring roles, passwords and database of the private cluster to what this version expects; repeatable."""
    passwords = {role: config.make_secret(f"database_{role}") for role in LOGIN_ROLES}
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        create_roles(conn, passwords)
        create_database(conn)


def apply_grants(conn: psycopg.Connection, roles: Roles | None = None) -> None:
    """Say who may do what, after the migrations; run as the owner. What is not named here goes away."""
    roles = roles or Roles()
    names = {field: sql.Identifier(getattr(roles, field)) for field in ("app", "scoped", "radius")}
    existing = {name for (name,) in conn.execute("select tablename::text from pg_tables where schemaname = 'public'")}
    with conn.transaction():
        for statement in APP_GRANTS:
            conn.execute(sql.SQL(statement).format(**names))
        for table in existing.intersection(WRITTEN_ONCE):
            _on_table(conn, "revoke update, delete on {table} from {app}, {scoped}", table, names)
        for table in existing.intersection(OWNERS_ALONE):
            _on_table(conn, "revoke insert, update, delete, truncate on {table} from {app}, {scoped}", table, names)
        for table, privileges in GRANTS.items():
            grant = sql.SQL("grant {} on {} to {}")
            what = sql.SQL(", ").join(map(sql.SQL, privileges))
            conn.execute(grant.format(what, sql.Identifier(table), names["radius"]))


def _on_table(conn: psycopg.Connection, statement: LiteralString, table: str, names: dict[str, sql.Identifier]) -> None:
    conn.execute(sql.SQL(statement).format(table=sql.Identifier(table), **names))


def check_external(config: Config) -> None:
    """Refuse a database that is too old or out of reach, and roles that may do too much or are missing."""
    with connect(config.owner_url(), "DEMARC_DATABASE_OWNER_URL") as conn:
        _check_version(conn)
        owner = _role_facts(conn)[3]
    with connect(config.app_url(), "DEMARC_DATABASE_URL") as conn:
        _, is_superuser, bypasses, name = _role_facts(conn)
        if is_superuser or bypasses:
            raise Refused(
                f"DEMARC_DATABASE_URL logs in as {name}, a superuser or a role with BYPASSRLS: "
                "give Demarc a plain role to run as.",
                code="database-role",
            )
        owns = conn.execute(OWNS_TABLES, (owner,)).fetchone()
        if owns and owns[0]:
            raise Refused(
                f"DEMARC_DATABASE_URL logs in as {name}, who owns the tables: put the owner into "
                "DEMARC_DATABASE_OWNER_URL and let Demarc run as another role.",
                code="database-role",
            )
        _check_roles_exist(conn, Roles.of(config))


def connect(url: str, name: str, *, timeout_s: int = 10) -> psycopg.Connection:
    """Connect, or refuse in one sentence that names the variable and not the password."""
    try:
        return psycopg.connect(url, connect_timeout=timeout_s)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise Refused(f"The database of {name} is out of reach: {reason}", field=name, code="database") from error


def _check_version(conn: psycopg.Connection) -> None:
    major = _role_facts(conn)[0]
    if major < OLDEST_SERVER:
        raise Refused(
            f"The database is PostgreSQL {major}; Demarc needs PostgreSQL {OLDEST_SERVER} or newer.",
            code="database-version",
        )


def _check_roles_exist(conn: psycopg.Connection, roles: Roles) -> None:
    known = {name for (name,) in conn.execute("select rolname::text from pg_roles")}
    missing = [role for role in (roles.scoped, roles.radius) if role not in known]
    if missing:
        raise Refused(
            f"The database has no role {' and no role '.join(missing)}: "
            "make the roles as docs/external-database.md shows.",
            code="database-role",
        )


def _role_facts(conn: psycopg.Connection) -> tuple[int, bool, bool, str]:
    row = conn.execute(ROLE_FACTS).fetchone()
    if row is None:
        raise Refused("The database does not know the role it let in.", code="database-role")
    major, is_superuser, bypasses, name = row
    return int(major), bool(is_superuser), bool(bypasses), str(name)
