"""Money that comes in parts, too much, or goes back. A month costs 31.00: in January each day is 1.00."""


def test_a_part_pays_the_oldest_and_what_is_too_much_waits_for_the_next(begins):
    isp = begins("2024-01-17")
    ana = isp.sign_up("31.00")
    isp.until("2024-02-02")
    ana.pay("20.00")
    assert ana.open == ["0.00", "26.00"]  # 15.00 are paid, and 5.00 of 31.00
    assert [one["state"] for one in ana.documents] == ["paid", "partly"]
    ana.pay("50.00")
    assert (ana.open, ana.balance) == (["0.00", "0.00"], "24.00")
    isp.until("2024-03-01")
    assert (ana.open[2], ana.balance) == ("7.00", "-7.00")  # 31.00 less 24.00


def test_money_that_was_there_before_pays_the_first_document(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00", paid="100.00")
    assert (ana.bills, ana.open, ana.balance) == (["31.00"], ["0.00"], "69.00")


def test_money_given_back_is_owed_again(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    paid = ana.pay("31.00")
    isp.post(f"/payments/{paid['id']}/refund", {"amount": "10.00"})
    assert (ana.balance, ana.open) == ("-10.00", ["10.00"])
    assert isp.refused(f"/payments/{paid['id']}/refund", {"amount": "21.01"}) == "more_than_left"
    ana.pay("10.00")
    assert (ana.balance, ana.open) == ("0.00", ["0.00"])


def test_a_payment_that_bounces_leaves_the_invoices_that_it_had_paid_unpaid(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    paid = ana.pay("72.00")
    isp.until("2024-02-01")  # the second month is paid from the balance
    assert (ana.balance, ana.open) == ("10.00", ["0.00", "0.00"])
    isp.post(f"/payments/{paid['id']}/refund", {"amount": "10.00"})
    assert (ana.balance, ana.open) == ("0.00", ["0.00", "0.00"])
    isp.post(f"/payments/{paid['id']}/refund", {"amount": "40.00"})
    assert (ana.balance, ana.open) == ("-40.00", ["31.00", "9.00"])
    isp.post(f"/payments/{paid['id']}/refund", {"amount": "22.00"})
    assert (ana.balance, ana.open) == ("-62.00", ["31.00", "31.00"])
    ana.pay("62.00")
    assert (ana.balance, ana.open) == ("0.00", ["0.00", "0.00"])


def test_a_credit_pays_what_is_open_and_the_rest_stays_on_the_account(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    ana.pay("25.00")
    isp.until("2024-01-21")
    ana.does("end")  # 10.00 back: 6.00 were open
    assert (ana.open, ana.balance) == (["0.00", "0.00"], "4.00")


def test_what_is_sold_once_comes_with_the_next_document_or_at_once(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    isp.post(f"/accounts/{ana.account}/items", {"text": "Router", "amount": "59.00"})
    isp.post(f"/accounts/{ana.account}/items", {"text": "Visit", "amount": "20.00", "now": True, "due_from": None})
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "79.00", "31.00"]
