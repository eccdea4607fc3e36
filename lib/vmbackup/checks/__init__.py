"""What the facts mean: one module of pure checks per cause."""
