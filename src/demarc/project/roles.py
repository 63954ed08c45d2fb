"""The database's roles and what each may do. It knows table names only where a rule hangs on them.

The owner migrates and nothing else; the app may not touch what is written once; the scoped role is the app
under row policies (project.row_security); radiusd has just what `demarc.radiusd.grants` names.
"""

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from demarc.core.errors import Refused
from demarc.project import row_security
from demarc.project.config import APP, DATABASE, OWNER, RADIUS, SCOPED, Config
from demarc.project.row_security import WRITTEN_ONCE
from demarc.radiusd.grants import GRANTS

OLDEST_SERVER = 15
LOGIN_ROLES = (OWNER, APP, RADIUS)
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
MAY_MAKE_TEMPORARY = "select has_database_privilege(current_user, current_database(), 'TEMP'), current_database()"
SCOPED_FACTS = """
    select pg_has_role(current_user, r.oid, 'member'),
        r.rolsuper or r.rolbypassrls or exists (select from pg_auth_members where member = r.oid)
    from pg_roles r where r.rolname = %(scoped)s
"""
APP_GRANTS: tuple[LiteralString, ...] = (
    "grant usage on schema public to {app}, {scoped}, {radius}",
    "grant select, insert, update, delete on all tables in schema public to {app}",
    "grant usage, select on all sequences in schema public to {app}",
    "alter default privileges in schema public grant select, insert, update, delete on tables to {app}",
    "alter default privileges in schema public grant usage, select on sequences to {app}",
    "grant execute on function demarc_log_purge(text, bigint), demarc_log_expire(text, bigint[]) to {app}",
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
            _on_table(conn, "revoke update, delete on {table} from {app}", table, names)
        for table in existing.intersection(OWNERS_ALONE):
            _on_table(conn, "revoke insert, update, delete, truncate on {table} from {app}", table, names)
        for table, privileges in GRANTS.items():
            grant = sql.SQL("grant {} on {} to {}")
            what = sql.SQL(", ").join(map(sql.SQL, privileges))
            conn.execute(grant.format(what, sql.Identifier(table), names["radius"]))
        row_security.apply(conn, roles.scoped, {roles.app, roles.radius})


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
        _check_temporary(conn, name)
        roles = Roles.of(config)
        _check_roles_exist(conn, roles)
        _check_scoped(conn, roles.scoped)


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


def _check_temporary(conn: psycopg.Connection, name: str) -> None:
    """Temporary tables stand before all others for whoever makes them; no function of the owner's shall ever meet one
    that the app made."""
    may_make, database = conn.execute(MAY_MAKE_TEMPORARY).fetchone() or (True, "")
    if may_make:
        raise Refused(
            f"{name} may make temporary tables in the database {database}: "
            f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {name}.",
            code="database-role",
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


def _check_scoped(conn: psycopg.Connection, scoped: str) -> None:
    """The connected role must be able to become the scoped one, which must be under the row policies itself."""
    may_become, too_much = conn.execute(SCOPED_FACTS, {"scoped": scoped}).fetchone() or (False, True)
    if not may_become:
        raise Refused(
            f"DEMARC_DATABASE_URL logs in as a role that may not become {scoped}: grant it, as "
            "docs/external-database.md shows.",
            code="database-role",
        )
    if too_much:
        raise Refused(
            f"The role {scoped} is a superuser, has BYPASSRLS or is a member of another role; "
            "row policies would not hold it.",
            code="database-role",
        )


def _role_facts(conn: psycopg.Connection) -> tuple[int, bool, bool, str]:
    row = conn.execute(ROLE_FACTS).fetchone()
    if row is None:
        raise Refused("The database does not know the role it let in.", code="database-role")
    major, is_superuser, bypasses, name = row
    return int(major), bool(is_superuser), bool(bypasses), str(name)
