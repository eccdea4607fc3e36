"""Many VMs."""
