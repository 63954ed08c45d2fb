"""A PostgreSQL that somebody else runs: which one, and which roles, Demarc refuses to run on."""

import psycopg
import pytest

from demarc.core.errors import Refused
from demarc.project import roles
from demarc.project.config import APP, OWNER, RADIUS, Config
from demarc.project.roles import Roles, check_external
from demarc.project.trouble import exit_code


@pytest.fixture
def external(cluster, tmp_path):
    """A configuration as for an external database, with the URLs that are given."""

    def configured(app=None, owner=None):
        return Config(
            data=tmp_path,
            database_url=app or cluster.url(APP),
            database_owner_url=owner or cluster.url(OWNER),
            radius_database_url=cluster.url(RADIUS),
        )

    return configured


def refusal(config):
    with pytest.raises(Refused) as refused:
        check_external(config)
    assert "\n" not in refused.value.message
    return refused.value


def test_a_database_with_the_right_roles_is_taken(external):
    check_external(external())


def test_a_superuser_is_refused(external, cluster):
    said = refusal(external(app=cluster.superuser_url))
    assert "postgres, a superuser" in said.message
    assert exit_code(said) == 10


def test_the_owner_is_refused(external, cluster):
    said = refusal(external(app=cluster.url(OWNER)))
    assert "demarc_owner, who owns the tables" in said.message
    assert exit_code(said) == 10


def test_one_who_may_become_the_owner_is_refused(external, cluster):
    with psycopg.connect(cluster.superuser_url, autocommit=True) as conn:
        conn.execute("grant demarc_owner to demarc_app")
        try:
            assert "owns the tables" in refusal(external()).message
        finally:
            conn.execute("revoke demarc_owner from demarc_app")


def test_a_role_that_may_make_temporary_tables_is_refused(external, cluster):
    with psycopg.connect(cluster.superuser_url, autocommit=True) as conn:
        conn.execute("grant temporary on database demarc to public")
        try:
            said = refusal(external())
        finally:
            conn.execute("revoke temporary on database demarc from public")
    assert "REVOKE TEMPORARY ON DATABASE demarc FROM PUBLIC, demarc_app" in said.message
    assert exit_code(said) == 10


def test_a_server_without_our_roles_is_refused_with_their_names(external, cluster, monkeypatch):
    monkeypatch.setattr(Roles, "of", lambda config: Roles(scoped="nobody_scoped", radius="nobody_radius"))
    said = refusal(external())
    assert "no role nobody_scoped and no role nobody_radius" in said.message


@pytest.mark.parametrize(
    ("wrong", "right", "why"),
    [
        ("revoke demarc_scoped from demarc_app", "grant demarc_scoped to demarc_app", "may not become demarc_scoped"),
        ("alter role demarc_scoped bypassrls", "alter role demarc_scoped nobypassrls", "has BYPASSRLS"),
        ("grant pg_monitor to demarc_scoped", "revoke pg_monitor from demarc_scoped", "member of another role"),
    ],
)
def test_a_scoped_role_that_row_policies_would_not_hold_is_refused(external, cluster, wrong, right, why):
    with psycopg.connect(cluster.superuser_url, autocommit=True) as conn:
        conn.execute(wrong)
        try:
            assert why in refusal(external()).message
        finally:
            conn.execute(right)


def test_a_server_that_is_too_old_is_refused(external, monkeypatch):
    monkeypatch.setattr(roles, "OLDEST_SERVER", 99)
    said = refusal(external())
    assert "Demarc needs PostgreSQL 99 or newer" in said.message
    assert exit_code(said) == 8


def test_a_wrong_password_is_refused_without_showing_it(external, cluster):
    wrong = cluster.url(APP).replace("demarc_app:", "demarc_app:hush")
    said = refusal(external(app=wrong))
    assert "DEMARC_DATABASE_URL is out of reach" in said.message
    assert "hush" not in said.message
    assert exit_code(said) == 9


def test_the_roles_are_named_as_in_the_urls(tmp_path):
    config = Config(
        data=tmp_path,
        database_url="postgresql://billing_app@db/isp",
        radius_database_url="postgresql://billing_radius@db/isp",
    )
    assert Roles.of(config) == Roles(app="billing_app", radius="billing_radius")
