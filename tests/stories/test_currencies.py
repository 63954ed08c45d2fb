"""Currencies without decimals and with three."""


def test_yen_have_no_decimals(begins):
    isp = begins("2024-01-17", currency="JPY")
    ana = isp.sign_up("3100")
    isp.until("2024-02-01")
    assert ana.bills == ["1500", "3100"]  # 15 of 31 days
    body = {"account_id": ana.account, "amount": "1500.5", "method": "cash"}
    assert isp.refused("/payments", body) == "amount_too_precise"
    ana.pay("1500")
    assert (ana.open, ana.balance) == (["0", "3100"], "-3100")


def test_yen_that_a_month_cannot_be_divided_by_are_spread_over_its_days(begins):
    isp = begins("2023-12-31", currency="JPY")
    ana = isp.sign_up("100", pays="prepaid", paid="100")
    isp.until("2024-01-31")
    # 100 x 1/31 = 3.2 -> 3; x 2/31 = 6.5 -> 6; x 3/31 = 9.7 -> 10: so 3, 3, 4, and 100 in all
    assert [cost for _, cost in ana.days][:3] == ["3", "3", "4"]
    assert len(ana.days) == 31
    assert (ana.balance, ana.online) == ("0", True)


def test_yen_with_tax(begins):
    isp = begins("2024-01-01", currency="JPY")
    isp.tax("0.10")
    ana = isp.sign_up("1100")
    (bill,) = ana.documents
    assert (bill["net"], bill["tax"], bill["gross"]) == ("1000", "100", "1100")


def test_dinars_have_three_decimals(begins):
    isp = begins("2024-01-17", currency="KWD")
    ana = isp.sign_up("31.001")
    isp.until("2024-02-01")
    assert ana.bills == ["15.000", "31.001"]  # 31.001 - 31.001 x 16/31 = 31.001 - 16.001


def test_dinars_change_to_the_fils(begins):
    isp = begins("2024-01-01", currency="KWD")
    isp.tax("0.05")
    ana = isp.sign_up("31.000")
    isp.until("2024-01-17")
    ana.change(plan_id=isp.plan("46.501"))
    # 15.000 back; 46.501 - 46.501 x 16/31 = 46.501 - 24.001 = 22.500 charged
    assert ana.bills == ["31.000", "7.500"]
    # of 15.000 at 5 % the net is 14.286, of 22.500 it is 21.429; of their sum 7.500 it is 7.143
    assert (ana.documents[1]["net"], ana.documents[1]["tax"]) == ("7.143", "0.357")
