"""Everything a person reads, as pages without a kernel."""
