"""What the screens say, line by line: each file is pure, and knows no widget."""
