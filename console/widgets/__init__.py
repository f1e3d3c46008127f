"""What screens are made of: the table, the lines around it, and how they are painted."""
