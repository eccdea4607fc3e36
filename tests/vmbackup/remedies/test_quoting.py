"""A value in a command stays one word, whatever somebody called a VM."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmbackup.remedies.quoting import Unquotable, quote_bash, quote_powershell, render

EVIL = [
    "web-01",
    "",
    "a b",
    "a'b",
    'a"b',
    "$(touch /tmp/never)",
    "`id`",
    "a;b",
    "a && b",
    "-rf",
    "*",
    "~root",
    "!!",
    "#no",
    "a\\",
    "😀",
    "<script>",
    "%PATH%",
    "a|b>c",
    "x=1 y",
]


@pytest.mark.parametrize("value", EVIL)
def test_bash_reads_the_value_back_as_one_word(value):
    said = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {quote_bash(value)}"], capture_output=True, text=True, check=True
    )
    assert said.stdout == value + "\n"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), max_size=30))
def test_bash_reads_any_text_back(value):
    said = subprocess.run(["bash", "-c", f"printf '%s.' {quote_bash(value)}"], capture_output=True, check=True)
    assert said.stdout.decode() == value + "."


@pytest.mark.parametrize("value", ["a\nrm -rf /", "a\rb", "a\x00b", "\x1b[2J", "a\u2028b", "a\u202eb"])
@pytest.mark.parametrize("quote", [quote_bash, quote_powershell])
def test_what_ends_a_line_or_hides_is_refused(value, quote):
    with pytest.raises(Unquotable):
        quote(value)


@pytest.mark.parametrize(
    ("value", "literal"),
    [("a", "'a'"), ("a'b", "'a''b'"), ("$(x)", "'$(x)'"), ("a\u2019;b", "'a\u2019\u2019;b'"), ("`n", "'`n'")],
)
def test_powershell_gets_a_single_quoted_literal(value, literal):
    assert quote_powershell(value) == literal


def test_a_list_becomes_one_word_each():
    assert render("az x --luns {luns}", {"luns": [1, 2]}, quote_bash) == ("az x --luns 1 2", ())


@pytest.mark.parametrize("value", [None, "", "a\nb"])
def test_a_value_that_is_missing_or_unusable_is_named_and_cannot_run(value):
    assert render("az x -n {name}", {"name": value}, quote_bash) == ("az x -n '<name>'", ("name",))
