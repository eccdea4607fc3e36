"""Take README's pictures: each runbook in a real JupyterLab, all cells run, the guided walk in view."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser.conftest import lab_page, opened, running_browser, running_lab
from tests.browser.test_guided_walk import RUNBOOKS

PICTURES = Path(__file__).parent / "reference" / "screenshots"
GERMAN = "05_internal_error"


def main() -> None:
    """Open, run, shoot."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, running_lab(Path(folder)) as lab, running_browser() as browser:
        for name, (scenario, _) in RUNBOOKS.items():
            parameters = {"scenario": scenario, "language": "de" if name == GERMAN else "en"}
            theme = "Dark" if name.startswith("02") else "Light"
            with lab_page(lab.url, browser) as page, opened(lab, page, name, parameters, theme) as book:
                page.set_viewport_size({"width": 1280, "height": 1024})
                page.get_by_role("tab", name="File Browser").click()  # folds the side bar
                book.run_all()
                book.finished()
                page.wait_for_timeout(4000)  # the tool comes into view, and the cells around it find their heights
                page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
