"""One remedy for many VMs of a fleet: first one VM, then a few, then the rest; it stops when a VM gets worse."""
