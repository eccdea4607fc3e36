"""Everything a person reads, as pages that need no kernel."""
