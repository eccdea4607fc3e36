"""Where a bundle is put: one small interface over a folder and the ticket systems."""
