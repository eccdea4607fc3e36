"""Every sign of the failure in the evidence, whichever cause reads it, and the unrecognised log lines. Pure."""

from __future__ import annotations

from itertools import groupby

from vmbackup import catalog, clock
from vmbackup.catalog.signatures import signatures
from vmbackup.catalog.words import cause_title
from vmbackup.failures.signatures import UNRECOGNISED, Sign, signs
from vmbackup.model import Evidence, data_of
from vmbackup.pages.blocks import Block, Details, Heading, Page, Paragraph, Table


def page(evidence: Evidence, language: str) -> Page:
    """What was seen and where, what it means and which cause it speaks for; how to check it by hand below."""
    groups = _grouped(signs(evidence))
    blocks: list[Block] = [Heading(catalog.text("sign.title", language))]
    if groups:
        header = [catalog.text(f"sign.{key}", language) for key in ("where", "quote", "means", "speaks_for")]
        blocks.append(Table(header, [_row(group, language) for group in groups]))
        checks = [check for group in groups if (check := _check(group[0], language))]
        blocks += [Details(catalog.text("sign.check", language), checks)] if checks else []
    else:
        blocks.append(Paragraph(catalog.text("sign.none", language)))
    return Page([*blocks, *_log_lines(evidence, language)])


def _grouped(found: list[Sign]) -> list[list[Sign]]:
    """The same signature at several places is one row; what nobody knows stands alone."""
    keys = {sign: (sign.id, sign.text if sign.id == UNRECOGNISED else "") for sign in found}
    order = list(dict.fromkeys(keys.values()))
    ordered = sorted(found, key=lambda sign: order.index(keys[sign]))
    return [list(group) for _, group in groupby(ordered, keys.__getitem__)]


def _row(group: list[Sign], language: str) -> list[str]:
    sign = group[0]
    places = dict.fromkeys(catalog.text(f"sign.place.{each.where}", language) for each in group)
    newest = max((each.time for each in group if each.time), default=None)
    where = ", ".join(places) + (f" ({clock.local(newest)})" if newest else "")
    causes = ", ".join(cause_title(cause, language) for cause in sign.causes)
    quote = next((each.text for each in group if each.text), sign.code or sign.id)
    return [where, quote, _means(sign, language), causes or catalog.text("sign.no_cause", language)]


def _means(sign: Sign, language: str) -> str:
    if sign.id == UNRECOGNISED:
        return catalog.text("sign.unrecognised", language)
    means = signatures()[sign.id].means[language]
    return catalog.text("sign.guessed", language, means=means) if sign.guessed else means


def _check(sign: Sign, language: str) -> Block | None:
    signature = signatures().get(sign.id)
    if signature is None or signature.check is None:
        return None
    return Paragraph(signature.check[language], signature.means[language])


def _log_lines(evidence: Evidence, language: str) -> list[Block]:
    found = data_of(evidence, "guest.log_lines")
    rows = [[line["log"], clock.local(line["at"]), line["text"]] for line in (found or {}).get("lines") or []]
    if not rows:
        return []
    header = [catalog.text(key, language) for key in ("sign.where", "label.when", "sign.quote")]
    return [Details(catalog.text("sign.log_lines", language), [Table(header, rows)])]
