"""Take README's picture of a runbook: the reference execution as HTML, in headless Chromium."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "tests" / "reference" / "01_agent_unreachable.ipynb"
PICTURE = ROOT / "tests" / "reference" / "screenshots" / "01_agent_unreachable.png"
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def main() -> None:
    """Convert, open, shoot."""
    PICTURE.parent.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        page = Path(folder) / "runbook.html"
        convert = [
            sys.executable,
            "-m",
            "nbconvert",
            "--to",
            "html",
            "--no-input",
            "--output",
            str(page),
            str(NOTEBOOK),
        ]
        subprocess.run(convert, check=True)
        browser = [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            *QUIET,
            f"--user-data-dir={folder}/profile",
        ]
        shot = ["--window-size=1280,1500", f"--screenshot={PICTURE}", page.as_uri()]
        subprocess.run([*browser, *shot], check=True, capture_output=True)


if __name__ == "__main__":
    main()
