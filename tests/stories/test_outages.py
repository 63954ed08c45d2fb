"""Five days without any job: afterwards all is as if they had run. A month costs 31.00: in January each day is 1.00."""


def test_a_document_that_was_due_meanwhile_bears_its_own_day(begins):
    isp = begins("2024-01-26")
    ana = isp.sign_up("31.00")
    isp.until("2024-01-30")
    with isp.everything_is_down():
        isp.until("2024-02-04")
    assert ana.bills == ["6.00", "31.00"]
    assert ana.documents[1]["issued_on"] == "2024-02-01"


def test_prepaid_days_are_charged_one_by_one(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid", paid="10.00")
    isp.until("2024-01-03")
    with isp.everything_is_down():
        isp.until("2024-01-08")
    assert [day[-2:] for day, _ in ana.days] == ["01", "02", "03", "04", "05", "06", "07", "08"]
    assert (ana.balance, ana.online) == ("2.00", True)


def test_who_ran_dry_meanwhile_owes_the_days_he_was_online_and_is_blocked_today(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid", paid="5.00")
    isp.until("2024-01-03")
    with isp.everything_is_down():
        isp.until("2024-01-08")
    # 5.00 less seven days; the 8th is decided in time, and not covered
    assert (ana.balance, ana.online, ana.money["owed"]) == ("-2.00", False, "3.00")


def test_a_pause_planned_for_a_day_meanwhile_is_credited_from_that_day(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    ana.change(state="paused", when="2024-01-12")
    isp.until("2024-01-10")
    with isp.everything_is_down():
        isp.until("2024-01-15")
    assert not ana.online
    assert ana.bills == ["31.00", "-20.00"]  # 12 to 31 January


def test_a_discount_that_began_meanwhile_is_given_from_its_day(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    isp.post(f"/services/{ana.service}/discounts", {"percent": "10", "valid_from": "2024-01-12"})
    isp.until("2024-01-10")
    with isp.everything_is_down():
        isp.until("2024-01-15")
    assert ana.bills == ["31.00", "-2.00"]  # a tenth of 12 to 31 January


def test_who_was_to_be_blocked_meanwhile_is_blocked_now(begins):
    isp = begins("2024-01-01", duns=True)
    larry = isp.sign_up("31.00")
    isp.until("2024-01-14")
    with isp.everything_is_down():
        isp.until("2024-01-19")
        assert larry.online
    assert not larry.online
