"""The administrator's own page in `<data>/pages/n`: it replaces the shipped one, and nothing else can be read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.radiusd.pages_cast import ACTIVES_ADDRESS, Running, running

from demarc.radiusd.pages_own import OwnPage

INDEX = "<!doctype html><h1>{{ provider }}</h1><p>{{ reason }} {{ owed }}<img src=img/logo.png>"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "secret.txt").write_text("the database password")
    folder = tmp_path / "pages" / "2"
    put(folder / "index.html", INDEX)
    put(folder / "img" / "logo.png", "a picture")
    put(folder / "style.css", "h1{color:red}")
    put(folder / ".htpasswd.txt", "hidden")
    put(folder / "run.php", "<?php")
    put(folder / "big.png", "x" * 2_000_001)
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "way").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.txt")
    with running(tmp_path) as pages:
        yield pages


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_it_replaces_the_shipped_page_for_its_port_alone(site):
    response, body = site.get("/whatever", place=2)
    assert "<h1>Valley Net</h1>" in body
    assert "€12.40" in body
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert response.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'self' 'unsafe-inline'"
    )
    assert "Balance used up" in site.get("/", place=3)[1]


@pytest.mark.parametrize("path", ["/img/logo.png", "/deep/in/some/site/img/logo.png", "/img/logo.png?v=2"])
def test_its_images_are_found_from_whatever_site_the_visitor_wanted(site, path):
    response, body = site.get(path)
    assert (response.headers["Content-Type"], body) == ("image/png", "a picture")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/../../secret.txt",
        "/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/....//secret.txt",
        "/img/../../../secret.txt",
        "/link.txt",
        "/way/secret.txt",
        "/pipe.txt",
        "/.htpasswd.txt",
        "/run.php",
        "/big.png",
        "/img",
        "/img/",
        "/etc/passwd",
        "//etc/passwd",
        "/index.html%00.png",
        "/\\..\\secret.txt",
    ],
)
def test_no_path_leads_to_anything_but_its_files(site, path):
    answer = site.say(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"<h1>Valley Net</h1>" in answer
    assert b"password" not in answer


def test_who_is_not_blocked_any_more_is_not_told_to_pay(site):
    assert "You are back online" in site.get("/", source=ACTIVES_ADDRESS)[1]


def test_a_change_is_seen_and_a_folder_without_index_is_no_page(tmp_path):
    page = OwnPage(tmp_path)
    page.refresh()
    assert page.files == {}
    put(tmp_path / "index.html", "one")
    page.refresh()
    assert page.files == {"index.html": b"one"}
    put(tmp_path / "index.html", "two!")
    page.refresh()
    assert page.files == {"index.html": b"two!"}
    (tmp_path / "index.html").unlink()
    put(tmp_path / "start.html", "x")
    page.refresh()
    assert page.files == {}


def test_too_much_in_a_folder_is_left_out_and_the_index_is_kept(tmp_path):
    for number in range(300):
        put(tmp_path / f"a{number}.txt", "x")
    for number in range(10):
        put(tmp_path / f"b{number}.png", "x" * 1_999_999)
    put(tmp_path / "index.html", "page")
    page = OwnPage(tmp_path)
    page.refresh()
    assert page.files["index.html"] == b"page"
    assert len(page.files) <= 200
    assert sum(map(len, page.files.values())) <= 16_000_000
