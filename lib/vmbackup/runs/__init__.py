"""One VM: its state, its operations and its folder."""
