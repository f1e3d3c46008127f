"""The commands of `ccr`: one file each."""
