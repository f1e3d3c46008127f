"""Keys, budgets and rates."""
