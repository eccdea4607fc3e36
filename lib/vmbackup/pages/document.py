"""Pages as one HTML file that opens from disk, asks no network, needs no script and prints. Pure.

What the pages render is escaped there; everything else is escaped by the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vmbackup import catalog, clock, sanitize


def version() -> str:
    """The version of this product."""
    return metadata.version("vmbackup")


def document(
    title: str, lead: Markup, folded: Sequence[tuple[str, Markup]], at: str | None, language: str, width: str = "60rem"
) -> str:
    """The whole file: what everybody reads, and what opens on a click; ``at`` is the time by Azure's clock."""
    environment = Environment(loader=PackageLoader("vmbackup.pages"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("document.html.j2").render(
        language=language,
        title=sanitize.text(title),
        lead=lead,
        folded=[(sanitize.text(summary), inside) for summary, inside in folded],
        made=catalog.text("document.made", language, version=version(), when=clock.local(at)),
        width=width,
    )
