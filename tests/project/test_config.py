"""The operator's decisions, read from the environment."""

from pathlib import Path

import pytest

from demarc.core.errors import Refused
from demarc.project.config import Config, write_private


def test_without_variables_everything_has_its_documented_default():
    config = Config.from_environment({})
    assert (config.web_bind, config.web_port) == ("127.0.0.1", 8000)
    assert (config.radius_auth_port, config.radius_acct_port) == (1812, 1813)
    assert config.page_ports == (8101, 8102, 8103, 8104)
    assert config.private_database


def test_another_process_reads_the_same_configuration_from_its_environment(tmp_path):
    given = {
        "DEMARC_DATA": str(tmp_path),
        "DEMARC_WEB_BIND": "::",
        "DEMARC_WEB_PORT": "443",
        "DEMARC_PAGE_PORTS": "81,82",
        "DEMARC_RADIUS_PROCESSES": "2",
        "DEMARC_NODE": "east",
        "DEMARC_DATABASE_URL": "postgresql://app@db/demarc",
        "DEMARC_DATABASE_OWNER_URL": "postgresql://owner@db/demarc",
    }
    config = Config.from_environment(given)
    assert Config.from_environment(config.environment()) == config
    assert config.page_ports == (81, 82)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMARC_WEB_PORT", "http"),
        ("DEMARC_WEB_PORT", "0"),
        ("DEMARC_WEB_PORT", "65536"),
        ("DEMARC_WEB_PORT", "8000,8001"),
        ("DEMARC_WEB_PORT", "٣"),
        ("DEMARC_WEB_PROCESSES", "0"),
        ("DEMARC_WEB_PROCESSES", "many"),
        ("DEMARC_RADIUS_PROCESSES", "17"),
        ("DEMARC_NODE", "east/0"),
        ("DEMARC_NODE", "e" * 41),
        ("DEMARC_PAGE_PORTS", "8101,8101"),
        ("DEMARC_PAGE_PORTS", "8101;8102"),
        ("DEMARC_WEB_BIND", "everywhere"),
        ("DEMARC_DATABASE_URL", "mysql://secret@db"),
        ("DEMARC_DATABASE_OWNER_URL", "postgresql://owner@db/demarc"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_one_sentence_that_names_the_variable(name, value):
    with pytest.raises(Refused) as refused:
        Config.from_environment({name: value})
    assert refused.value.code == "setting"
    assert name in refused.value.message
    assert "secret" not in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("bind", "tls", "url"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:8000/"),
        ("::1", False, "http://[::1]:8000/"),
        ("0.0.0.0", True, "https://localhost:8000/"),
        ("192.0.2.7", True, "https://192.0.2.7:8000/"),
    ],
)
def test_only_loopback_goes_without_tls(bind, tls, url):
    config = Config.from_environment({"DEMARC_WEB_BIND": bind})
    assert (config.web_tls, config.web_url) == (tls, url)


def test_an_external_database_serves_each_login_with_its_own_url(tmp_path):
    app, owner, radius = (f"postgresql://{name}@db/demarc" for name in ("app", "owner", "radius"))
    config = Config(data=tmp_path, database_url=app, database_owner_url=owner, radius_database_url=radius)
    assert (config.app_url(), config.owner_url(), config.radius_url()) == (app, owner, radius)
    alone = Config(data=tmp_path, database_url=app)
    assert (alone.owner_url(), alone.radius_url()) == (app, app)


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    config = Config(data=tmp_path)
    assert config.secret("django") is None
    made = config.make_secret("django")
    assert len(made) == 43
    assert config.make_secret("django") == config.secret("django") == made
    assert (tmp_path / "secrets" / "django").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_private_file_is_replaced_whole(tmp_path):
    path: Path = tmp_path / "secrets" / "x"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert [entry.name for entry in path.parent.iterdir()] == ["x"]
