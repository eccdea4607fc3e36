"""What lists say of many VMs."""
