"""The backup after a remedy, and the proof that it worked."""
