"""Who may spend how much: keys, teams, users, budgets and rates.

    register.py   who there is: kept by the ledger, found by the hash of a key
    accounts.py   what is spent from, opened with the ledger's sums
    budgets.py    those of them that the configuration names
    cashier.py    holds money back before a request runs, and settles after it
    account.py, period.py, rates.py, access.py    the arithmetic; pure

One rule: with nothing configured and no key made, a request meets one attribute test (Cashier.on).
"""
