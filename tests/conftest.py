"""Every test, and every kernel that one starts, is in one time zone: pages show local time where that is not UTC."""

import os
import time

os.environ["TZ"] = "UTC"
if hasattr(time, "tzset"):
    time.tzset()
