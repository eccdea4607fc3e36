"""What comes out of a VM, and the scripts that go in."""
