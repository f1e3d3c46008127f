"""How a person's console operates the router: what it is shown, what it asks, what it has done."""
