""" "After to charge": an invoice on the 1st of what was charged by the day. A month costs 31.00."""


def test_the_month_s_days_are_invoiced_on_the_first_and_settle_nothing(begins):
    isp = begins("2023-12-31", invoice_consumed=True)
    isp.tax("0.21")
    ana = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.until("2024-01-31")
    assert ana.bills == []
    isp.until("2024-02-01")
    (invoice,) = ana.documents
    assert (invoice["source"], invoice["issued_on"]) == ("consumed", "2024-02-01")
    assert (invoice["gross"], invoice["net"], invoice["tax"]) == ("31.00", "25.62", "5.38")  # 31.00 / 1.21
    assert invoice["open"] == "0.00"
    assert ana.balance == "67.93"  # 100.00 - 31.00 - 31.00 / 29
    isp.until("2024-02-02")
    assert len(ana.documents) == 1


def test_a_rate_that_changed_in_the_month_stands_on_it_twice(begins):
    isp = begins("2023-12-31", invoice_consumed=True)
    isp.tax("0.20")
    isp.tax("0.25", since="2024-01-21")
    ana = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.until("2024-02-01")
    # 20.00 / 1.20 = 16.67, tax 3.33; 11.00 / 1.25 = 8.80, tax 2.20
    (invoice,) = ana.documents
    assert (invoice["net"], invoice["tax"]) == ("25.47", "5.53")


def test_only_who_wants_it_gets_it_and_after_an_outage_late(begins):
    isp = begins("2024-01-16")
    ana = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    ben = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.post(f"/accounts/{ana.account}/calendar", {"valid_from": "2024-01-16", "invoice_consumed": True})
    isp.until("2024-01-30")
    with isp.everything_is_down():
        isp.until("2024-02-04")
    isp.until("2024-02-05")
    assert (ana.bills, ben.bills) == (["15.00"], [])  # 17 to 31 January
    assert ana.documents[0]["issued_on"] == "2024-02-01"


def test_who_is_converted_in_the_month_is_invoiced_for_his_days_before(begins):
    isp = begins("2023-12-31", invoice_consumed=True)
    isp.tax("0.21")
    ana = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.until("2024-01-10")
    isp.post(f"/accounts/{ana.account}/billing-type", {"billing_type": "recurring"})
    isp.until("2024-02-01")
    by_source = {one["source"]: one for one in ana.documents}
    assert len(ana.documents) == len(by_source) == 3
    assert (by_source["first"]["gross"], by_source["run"]["gross"]) == ("21.00", "31.00")
    consumed = by_source["consumed"]
    assert (consumed["gross"], consumed["open"], consumed["issued_on"]) == ("10.00", "0.00", "2024-02-01")
    assert ana.balance == "38.00"  # 100.00 - 10.00 - 21.00 - 31.00
    isp.until("2024-02-03")
    assert len(ana.documents) == 3


def test_there_and_back_in_one_month_all_its_days_are_on_one_invoice(begins):
    isp = begins("2023-12-31", invoice_consumed=True)
    ana = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.until("2024-01-10")
    isp.post(f"/accounts/{ana.account}/billing-type", {"billing_type": "recurring"})
    isp.until("2024-01-20")
    isp.post(f"/accounts/{ana.account}/billing-type", {"billing_type": "prepaid"})
    isp.until("2024-02-01")
    assert [one["gross"] for one in ana.documents if one["source"] == "consumed"] == ["21.00"]  # 1 to 10, 21 to 31
