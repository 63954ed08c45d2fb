"""What is learned of a customer, as SQL. The function (access migration 0003) looks whether it may be."""

LEARN = "SELECT access_learn_mac(%(subscriber)s, %(mac)s::macaddr)"
