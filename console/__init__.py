"""What a person touches: commands, screens, and the ways in."""
