"""The log is sealed as it is committed; what a superuser does to it afterwards is found. The rows are real."""

import fcntl
import json
import os
import threading
from argparse import Namespace
from datetime import timedelta

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.db.utils import DatabaseError
from tests import cast
from tests.cast import AT, STAFF

from demarc.base import clock, keeping, log, queries, sealing, sql
from demarc.base.actors import SYSTEM, Actor
from demarc.base.models import LogSeal, OperationLog, Setting, SubjectKey
from demarc.base.vault import log_signer_public, open_for_subject
from demarc.base.verify_log import verify
from demarc.core.errors import Refused
from demarc.project.commands import log as log_command
from demarc.project.commands import worker
from demarc.project.config import DATABASE
from demarc.staff.actions import create_login

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "apart"])
HOSTILE = 'a\tb\\N\nc\rd\ve\bf\fg"\\\\h‮'
REMOTE = Actor("staff", 7, HOSTILE, "2001:db8::ffff", "request-1")


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.DEMARC_SEALS = tmp_path / "seals"
    return settings.DEMARC_SEALS


@pytest.fixture
def superuser(cluster):
    """One who may do everything, past every trigger."""
    with psycopg.connect(cluster.superuser_url, dbname=DATABASE, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


def act(count=1, **facts):
    for number in range(count):
        log.record("updated", by=REMOTE, at=AT + timedelta(seconds=number), subject=("customer", number % 3), **facts)


def findings(at=AT):
    sealing.seal(at=at)
    with sealing.one_moment():
        verdict = verify(sealing.exported(), sealing.seals_directory(), log_signer_public())
    return [(one.kind, one.position, one.last) for one in verdict.findings]


def positions():
    return [key for one in LogSeal.objects.order_by("number") for key in one.ids]


def test_what_is_committed_is_sealed_once_and_verifies():
    act(5, words=HOSTILE)
    log.record("viewed", by=SYSTEM, at=AT, subject=("partner", None))
    assert sealing.seal(at=AT) == 6
    assert sealing.seal(at=AT) == 0
    act(2)
    assert sealing.seal(at=AT) == 2
    assert [(one.number, one.first) for one in LogSeal.objects.order_by("number")] == [(1, 1), (2, 7)]
    assert positions() == list(OperationLog.objects.order_by("id").values_list("id", flat=True))
    assert findings() == []
    assert sealing.verify_now(at=AT).findings == []
    assert OperationLog.objects.filter(verb="log_verified", result="done").count() == 1


def test_a_long_transaction_comes_behind_what_was_sealed_meanwhile():
    """Its row has the smallest id and is committed last: it may not get in between."""
    began, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            act(1, who="slow")
            began.set()
            may_commit.wait(20)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert began.wait(20)
    act(2)
    assert sealing.seal(at=AT) == 2
    may_commit.set()
    thread.join(20)
    assert sealing.seal(at=AT) == 1
    ids = positions()
    assert ids[2] < ids[0] < ids[1]
    assert findings() == []


def test_a_rolled_back_row_leaves_no_gap():
    act(1)
    with transaction.atomic():
        act(3)
        transaction.set_rollback(True)
    act(1)
    sealing.seal(at=AT)
    assert LogSeal.objects.get().first == 1
    assert len(positions()) == 2
    assert findings() == []


def test_the_files_catch_up_and_bear_a_line_that_a_crash_cut_off(files, monkeypatch):
    act(3)
    sealing.seal(at=AT)
    path = files / "000000.jsonl"
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(b'{"seal": 2, "fir')
    act(2)
    sealing.seal(at=AT)
    assert path.read_bytes().startswith(whole)
    assert [json.loads(line)["seal"] for line in path.read_text().splitlines()] == [1, 2]
    assert findings() == []
    monkeypatch.setattr(sealing, "copy_out", lambda **_: None)
    act(1)
    sealing.seal(at=AT)
    monkeypatch.undo()
    sealing.copy_out()
    assert findings() == []


def test_nobody_seals_or_looks_while_seals_are_copied(files, monkeypatch):
    """Two that both read the file's last line would write the same seal twice."""
    act(3)
    copying, may_go = threading.Event(), threading.Event()
    copy_out, done, verdicts = sealing.copy_out, [], []

    def slow(**how):
        copying.set()
        assert may_go.wait(20)
        copy_out(**how)

    monkeypatch.setattr(sealing, "copy_out", slow)

    def by_another(work):
        def run():
            work()
            connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    sealer = by_another(lambda: done.append(sealing.seal(at=AT)))
    assert copying.wait(20)
    act(1)
    looker = by_another(lambda: verdicts.append(sealing.verify_now(at=AT)))
    try:
        assert sealing.seal(at=AT) == 0
        assert verdicts == []
    finally:
        may_go.set()
        sealer.join(20)
        looker.join(20)
    assert done == [3]
    assert [verdict.findings for verdict in verdicts] == [[]]
    assert findings() == []
    assert [json.loads(line)["seal"] for line in (files / "000000.jsonl").read_text().splitlines()] == [1, 2, 3]


def test_a_line_that_another_process_is_writing_is_not_cut_off(files):
    act(1)
    sealing.seal(at=AT)
    handle = os.open(files, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    told = []
    with (files / "000000.jsonl").open("ab", buffering=0) as file:
        file.write(b'{"seal": ')
        reader = threading.Thread(target=lambda: told.append(sealing.last_copied()))
        reader.start()
        reader.join(0.3)
        assert reader.is_alive()
        whole = (files / "000000.jsonl").read_bytes()
        assert whole.endswith(b'{"seal": ')
        file.truncate(len(whole) - 9)
    os.close(handle)
    reader.join(20)
    assert [one["seal"] for one in told] == [1]


def test_copies_that_are_gone_are_a_finding_until_somebody_makes_them_anew(superuser, files, capsys):
    """Or else rows, seals and files could be taken away together, and the sealer would make it good."""
    for _ in range(3):
        act(2)
        sealing.seal(at=AT)
    last = LogSeal.objects.get(number=3)
    superuser.execute("DELETE FROM base_operationlog WHERE id = ANY(%s)", [last.ids])
    superuser.execute("DELETE FROM base_logseal WHERE number = 3")
    (files / "000000.jsonl").unlink()
    with pytest.raises(sealing.Forked):
        sealing.seal(at=AT)
    assert [one.kind for one in sealing.verify_now(at=AT).findings] == ["forked"]
    assert OperationLog.objects.filter(verb="log_verified", result="refused").count() == 1
    for what in ("checkpoint", "export"):
        with pytest.raises(Refused, match="rebuild"):
            log_command.run(Namespace(what=what))
    assert log_command.run(Namespace(what="rebuild")) == 0
    assert f"{LogSeal.objects.count()} seals" in capsys.readouterr().out
    assert OperationLog.objects.filter(verb="seals_rebuilt").count() == 1
    assert findings() == []
    with pytest.raises(Refused, match="move them aside"):
        log_command.run(Namespace(what="rebuild"))
    assert log_command.run(Namespace(what="checkpoint")) == 0
    assert json.loads(capsys.readouterr().out)["seal"] == LogSeal.objects.count()


def test_a_crash_before_the_first_copy_is_no_finding(files, monkeypatch):
    monkeypatch.setattr(sealing, "copy_out", lambda **_: None)
    act(1)
    sealing.seal(at=AT)
    monkeypatch.undo()
    act(1)
    assert findings() == []
    assert len((files / "000000.jsonl").read_text().splitlines()) == 2


def test_nothing_that_goes_wrong_once_ends_the_sealing(files, monkeypatch):
    act(1)
    sealing.seal(at=AT)
    whole = (files / "000000.jsonl").read_bytes()
    act(1)
    for bad in (b"{}\n", b"no seal\n", b"[1]\n"):
        (files / "000000.jsonl").write_bytes(whole + bad)
        with pytest.raises(sealing.Forked):
            sealing.seal(at=AT)
        worker.seal_once()
    with monkeypatch.context() as patch:
        patch.delattr(sealing, "NOW")  # a bug
        worker.seal_once()
    (files / "000000.jsonl").write_bytes(whole)
    act(1)
    worker.seal_once()
    assert OperationLog.objects.count() == len(positions()) == 3
    assert findings() == []


ROW = """
INSERT INTO base_operationlog (id, at, actor_kind, actor_id, actor_label, verb, subject_kind, result, request_id,
    kind, xid)
SELECT 10^9, now(), 'staff', 1, 'Desk', 'updated', 'partner', 'done', '', 'change', '{}' WHERE %s > 0
"""
ATTACKS = {
    "UPDATE base_operationlog SET verb = 'viewed' WHERE id = %s": [("changed", 4, 4)],
    "UPDATE base_operationlog SET actor_label = 'Somebody' WHERE id = %s": [("changed", 4, 4)],
    "UPDATE base_operationlog SET address = '192.0.2.99' WHERE id = %s": [("changed", 4, 4)],
    "UPDATE base_operationlog SET body = body || 'x'::bytea WHERE id = %s": [("changed", 4, 4)],
    "UPDATE base_operationlog SET at = at + interval '1 us' WHERE id = %s": [("changed", 4, 4)],
    "UPDATE base_operationlog SET body_digest = sha256(body), body = NULL WHERE id = %s": [("removed", 4, 4)],
    "DELETE FROM base_operationlog WHERE id = %s": [("deleted", 4, 4)],
    "DELETE FROM base_operationlog WHERE id >= %s": [("truncated", 4, 9)],
    "UPDATE base_operationlog SET id = 10^9 WHERE id = %s": [("deleted", 4, 4)],
    "UPDATE base_logseal SET ids = ids[1:3] || ids[5:9] || ids[4:4] WHERE %s > 0": [("moved", 4, 4)],
    ROW.format(3): [("inserted", 9, 9)],
    ROW.format(9 * 10**12): [("inserted", 9, 9)],
}


def test_whatever_a_superuser_does_is_found_at_its_place(superuser):
    """Also a row slipped in with the id of a transaction that is long past, or far ahead, so that no seal takes it."""
    act(9, words="w")
    sealing.seal(at=AT)
    target = positions()[3]
    for attack, expected in ATTACKS.items():
        with superuser.transaction(force_rollback=True):
            assert superuser.execute(attack, [target]).rowcount > 0, attack
            exported = [line for copy in (sealing.ALL, sealing.FORGED) for line in copied(superuser, copy)]
        verdict = verify(exported, sealing.seals_directory(), log_signer_public())
        found = [(one.kind, one.position, one.last) for one in verdict.findings]
        # An entry under another id is nowhere: what the export joins to the seals lacks it, and FORGED may show it.
        assert [one for one in found if "10^9 WHERE" not in attack or one[0] != "inserted"] == expected, attack
    assert findings() == []


def copied(superuser, statement):
    with superuser.cursor().copy(statement) as copy:
        return [bytes(line) for line in copy]


def test_seals_that_were_set_back_are_not_written_over(superuser, files):
    act(2)
    sealing.seal(at=AT)
    act(2)
    sealing.seal(at=AT)
    before = (files / "000000.jsonl").read_bytes()
    superuser.execute("DELETE FROM base_logseal WHERE number = 2")
    with pytest.raises(sealing.Forked):
        sealing.seal(at=AT + timedelta(seconds=5))
    assert (files / "000000.jsonl").read_bytes() == before


def test_a_purged_subject_is_gone_and_the_log_still_verifies():
    act(9, passport="X123")
    sealing.seal(at=AT)
    copied = OperationLog.objects.filter(subject_id=1).first()
    assert log.purge(("customer", 1), by=STAFF, at=AT) == 3
    assert open_for_subject("customer", 1, bytes(copied.body)) is None, "also from a copy of the table"
    assert not OperationLog.objects.filter(subject_kind="customer", subject_id=1).exclude(body=None).exists()
    assert OperationLog.objects.filter(subject_id=2).exclude(body=None).count() == 3
    assert OperationLog.objects.filter(verb="purged", subject_id=1).count() == 1
    assert findings() == []
    act(4, passport="X124")
    assert findings() == []


def test_the_app_can_neither_change_nor_remove_a_row_or_a_seal():
    act(1)
    sealing.seal(at=AT)
    for statement in (
        "UPDATE base_operationlog SET verb = 'x'",
        "UPDATE base_operationlog SET body = NULL",
        "DELETE FROM base_operationlog",
        "UPDATE base_logseal SET first = 2",
        "DELETE FROM base_logseal",
    ):
        with pytest.raises((ProgrammingError, DatabaseError), match="denied"), transaction.atomic():
            sql.execute(statement)
    connection.close()


def test_the_owner_is_stopped_by_a_trigger(cluster):
    act(1)
    sealing.seal(at=AT)
    with psycopg.connect(cluster.url("demarc_owner"), autocommit=True) as conn:
        for statement in (
            "UPDATE base_operationlog SET verb = 'x'",
            "UPDATE base_operationlog SET body = NULL, body_digest = 'x'",
            "UPDATE base_operationlog SET body = 'x'",
            "DELETE FROM base_operationlog",
            "UPDATE base_logseal SET first = 2",
            "TRUNCATE base_logseal",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                conn.execute(statement)


def test_contents_go_when_their_time_is_over_and_the_log_still_verifies():
    log.record("viewed", by=REMOTE, at=AT, subject=("customer", 1), page="customer")
    log.record("updated", by=REMOTE, at=AT, subject=("customer", 1), name="Ana")
    sealing.seal(at=AT)
    year = AT + timedelta(days=365)
    log.record("viewed", by=REMOTE, at=year, subject=("customer", 1), page="customer")
    sealing.seal(at=year)
    assert keeping.expire(by=SYSTEM, at=year) == 0, "nobody has said how long"
    keeping.set_keep_days({"view": 90}, by=STAFF, at=year)
    assert keeping.expire(by=SYSTEM, at=year) == 1
    assert keeping.expire(by=SYSTEM, at=year) == 0
    old, change, new = OperationLog.objects.filter(subject_kind="customer").order_by("id")
    assert (old.body, old.actor_label, old.address, old.salt, old.verb) == (None, "", None, None, "viewed")
    assert change.body
    assert new.body
    assert findings(year) == []
    for days in ({"view": 29}, {"change": 364}, {"sign_in": 364}):
        with pytest.raises(Refused):
            keeping.set_keep_days(days, by=STAFF, at=year)


def test_the_database_takes_away_nothing_that_is_young_whoever_asks():
    """The app may write the setting, too: below the least days it counts for nothing."""
    now = clock.now()
    for verb, days in (("viewed", 20), ("viewed", 40), ("updated", 100), ("updated", 400)):
        log.record(verb, by=REMOTE, at=now - timedelta(days=days), subject=("customer", days), name="Ana")
    ids = sql.array(OperationLog.objects.values_list("id", flat=True))

    def gone(kind):
        return sql.rows("SELECT demarc_log_expire(%(kind)s, %(ids)s)", kind=kind, ids=ids)[0][0]

    assert (gone("view"), gone("change")) == (0, 0), "nobody has said how long"
    Setting.objects.create(partner=None, key=keeping.KEY, value={"view": 1, "change": 1, "work": None})
    assert (gone("view"), gone("change"), gone("work")) == (1, 1, 0)
    left = OperationLog.objects.exclude(body=None).order_by("id").values_list("subject_id", flat=True)
    assert list(left) == [20, 100]


def test_what_runs_as_the_owner_looks_for_no_temporary_table():
    found = sql.rows("SELECT proconfig FROM pg_proc WHERE prosecdef AND proname LIKE 'demarc_log_%%'")
    assert found == [(["search_path=public, pg_temp"],)] * 2


def test_a_refusal_stays_readable_when_its_request_is_rolled_back():
    with transaction.atomic():
        log.record_refused("updated", by=STAFF, at=AT, subject=("customer", 9), why="range")
        transaction.set_rollback(True)
    log.record("updated", by=STAFF, at=AT, subject=("customer", 9), name="Ana")
    entries = list(OperationLog.objects.order_by("id"))
    assert list(queries.told(entries).values()) == [{"why": "range"}, {"name": "Ana"}]


@pytest.mark.parametrize("rolled_back", [True, False])
def test_a_refusal_does_not_wait_for_the_key_that_its_own_request_has_made(rolled_back):
    with transaction.atomic():
        log.record("updated", by=STAFF, at=AT, subject=("customer", 9), name="Ana")
        log.record_refused("updated", by=STAFF, at=AT, subject=("customer", 9), why="range")
        transaction.set_rollback(rolled_back)
    log.record("updated", by=STAFF, at=AT, subject=("customer", 9), name="Ben")
    entries = list(OperationLog.objects.order_by("id"))
    told = list(queries.told(entries).values())
    assert told == ([None, {"name": "Ben"}] if rolled_back else [{"name": "Ana"}, {"why": "range"}, {"name": "Ben"}])


def test_what_another_key_of_the_subject_sealed_is_removed_and_no_error():
    act(1, name="Ana")
    SubjectKey.objects.all().delete()
    act(1, name="Ben")
    entries = list(OperationLog.objects.order_by("id"))
    assert list(queries.told(entries).values()) == [None, {"name": "Ben"}]


def test_after_a_restore_into_another_cluster_nothing_is_sealed_twice_or_forgotten(superuser):
    """Its transaction ids begin anew: what is older bears ids that it will come by."""
    act(3)
    sealing.seal(at=AT)
    act(1)  # not sealed when the dump was made
    superuser.execute("UPDATE base_logseal SET cluster = 1, snapshot = '900000000:900000000:'")
    (xid,) = superuser.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
    superuser.execute("UPDATE base_operationlog SET xid = (%s + 3 + id %% 3)::text::xid8", [xid])
    act(1)
    assert sealing.seal(at=AT) == 2
    for _ in range(6):
        act(1)
        assert sealing.seal(at=AT) == 1
    assert len(positions()) == len(set(positions())) == 11
    assert findings() == []


def test_a_change_tells_before_and_after_but_no_secret():
    partner = cast.partner()
    before = log.snapshot(partner)
    partner.name, partner.phone = "Other", "x" * 900
    assert log.changes(before, partner) == {"name": ["Demarc", "Other"], "phone": ["", "x" * log.LONG]}
    desk = create_login(username="desk", password="correct horse battery", role="Manager", by=STAFF, at=AT)
    before = log.snapshot(desk)
    desk.set_password("another horse battery")
    assert log.changes(before, desk) == {"password": ["", "changed"]}
    key = SubjectKey(pk=1, subject_kind="customer", subject_id=1, wrapped=b"one")
    before = log.snapshot(key)
    key.wrapped = b"two"
    assert log.changes(before, key) == {"wrapped": ["", "changed"]}
    assert "one" not in str(before)
