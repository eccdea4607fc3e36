"""The requests of each remedy, in order."""
