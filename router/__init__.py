"""What a request passes through, from the client's bytes to the provider and back.

Read `exchange.py` first: it names every stage in order.
"""
