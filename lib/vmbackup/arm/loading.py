"""Azure's SDK is loaded where it is needed first, and by one thread at a time.

Its packages import each other: two threads that load them at once may each wait for the other, and Python ends that
with an error in one of them.
"""

from __future__ import annotations

import threading

loading = threading.Lock()
"""Held while a part of the SDK is imported in a function."""
