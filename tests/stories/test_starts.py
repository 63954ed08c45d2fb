"""How lives with bills begin. A month costs 31.00: in January, of 31 days, each day is 1.00."""


def test_a_start_in_mid_month_pays_for_the_rest_of_it_at_once(begins):
    isp = begins("2024-01-17")
    ana = isp.sign_up("31.00")
    assert ana.bills == ["15.00"]  # 17 to 31 January: 15 of 31 days
    isp.until("2024-03-01")
    assert ana.bills == ["15.00", "31.00", "31.00"]
    assert [one["issued_on"] for one in ana.documents] == ["2024-01-17", "2024-02-01", "2024-03-01"]
    assert ana.balance == "-77.00"


def test_a_start_on_the_billing_day_pays_a_whole_month(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "31.00"]


def test_a_start_in_february_of_a_leap_year_has_days_of_29(begins):
    isp = begins("2024-02-15")
    ana = isp.sign_up("29.00")
    assert ana.bills == ["15.00"]  # 15 to 29 February: 15 of 29 days
    isp.until("2024-03-01")
    assert ana.bills == ["15.00", "29.00"]


def test_the_setup_fee_stands_on_the_first_document(begins):
    isp = begins("2024-01-17")
    ana = isp.sign_up("31.00", setup_fee="5.00")
    isp.until("2024-02-01")
    assert ana.bills == ["20.00", "31.00"]  # 15.00 and the fee, once


def test_the_first_part_of_a_month_may_wait_for_the_regular_document(begins):
    isp = begins("2024-01-17", own_first=False)
    ana = isp.sign_up("31.00")
    assert ana.bills == []
    isp.until("2024-02-01")
    assert ana.bills == ["46.00"]  # 15.00 of January and 31.00 of February


def test_three_months_ahead_are_one_document(begins):
    isp = begins("2024-01-17", period_months=3)
    ana = isp.sign_up("31.00")
    isp.until("2024-02-02")
    assert ana.bills == ["15.00", "93.00"]
    assert (ana.documents[1]["first_day"], ana.documents[1]["last_day"]) == ("2024-02-01", "2024-04-30")


def test_one_who_pays_afterwards_gets_his_first_document_when_the_month_is_over(begins):
    isp = begins("2024-01-11", postpaid=True)
    ana = isp.sign_up("31.00")
    isp.until("2024-01-31")
    assert ana.bills == []
    isp.until("2024-02-01")
    assert ana.bills == ["21.00"]  # 11 to 31 January


def test_a_second_service_in_mid_month_has_a_document_of_its_own_and_then_shares_one(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    isp.until("2024-01-21")
    ana.takes(isp.plan("62.00"))
    assert ana.bills == ["31.00", "22.00"]  # 21 to 31 January: 11 days at 2.00
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "22.00", "93.00"]


def test_the_billing_day_may_be_the_day_of_the_first_start(begins):
    isp = begins("2024-01-17", billing_day=0)
    ana = isp.sign_up("31.00")
    assert ana.bills == ["31.00"]  # 17 January to 16 February
    isp.until("2024-02-17")
    assert ana.bills == ["31.00", "31.00"]
    assert ana.documents[1]["first_day"] == "2024-02-17"
