"""Rates that change in mid-period. The rate is contained in the price unless a story says otherwise."""


def sums(life):
    return [(one["gross"], one["net"], one["tax"]) for one in life.documents]


def test_one_who_pays_ahead_has_the_rate_of_the_day_of_his_document(begins):
    isp = begins("2024-01-01")
    isp.tax("0.21")
    isp.tax("0.25", since="2024-01-20")
    ana = isp.sign_up("121.00")
    isp.until("2024-02-01")
    # 121.00 / 1.21 = 100.00; 121.00 / 1.25 = 96.80
    assert sums(ana) == [("121.00", "100.00", "21.00"), ("121.00", "96.80", "24.20")]


def test_one_who_pays_afterwards_has_the_rate_of_each_day(begins):
    isp = begins("2024-01-11", postpaid=True)
    isp.tax("0.20")
    isp.tax("0.25", since="2024-01-21")
    ana = isp.sign_up("31.00")
    isp.until("2024-02-01")
    # 11 to 20: 10.00 / 1.20 = 8.33, tax 1.67; 21 to 31: 11.00 / 1.25 = 8.80, tax 2.20
    assert sums(ana) == [("21.00", "17.13", "3.87")]
    lines = isp.get(f"/documents/{ana.documents[0]['id']}/lines")["items"]
    assert sorted((line["rate"], line["amount"]) for line in lines) == [("0.200000", "10.00"), ("0.250000", "11.00")]


def test_a_credit_has_the_rate_of_what_it_gives_back(begins):
    isp = begins("2024-01-01")
    isp.tax("0.21")
    isp.tax("0.25", since="2024-01-15")
    ana = isp.sign_up("124.00")
    isp.until("2024-01-21")
    ana.does("end")
    # 22 to 31 January: 10 days at 4.00; 40.00 / 1.21 = 33.06
    assert sums(ana)[1] == ("-40.00", "-33.06", "-6.94")


def test_a_change_of_plan_after_a_change_of_rate_has_both_rates(begins):
    isp = begins("2024-01-01")
    isp.tax("0.21")
    isp.tax("0.25", since="2024-01-15")
    ana = isp.sign_up("124.00")
    isp.until("2024-01-17")
    ana.change(plan_id=isp.plan("248.00"))
    # back 15 days at 4.00: 60.00 / 1.21 = 49.59, tax 10.41; charged 15 at 8.00: 120.00 / 1.25 = 96.00, tax 24.00
    assert sums(ana)[1] == ("60.00", "46.41", "13.59")


def test_a_price_without_tax_has_it_put_on_top(begins):
    isp = begins("2024-01-01")
    isp.tax("0.20")
    ana = isp.sign_up("31.00", price_includes_tax=False)
    assert sums(ana) == [("37.20", "31.00", "6.20")]
    isp.until("2024-01-21")
    ana.does("end")
    assert sums(ana)[1] == ("-12.00", "-10.00", "-2.00")  # ten days
