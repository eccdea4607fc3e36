"""What Azure, the extension and the logs say of a failed backup."""
