"""What goes to a ticket."""
