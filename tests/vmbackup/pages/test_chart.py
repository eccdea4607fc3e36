"""The chart shades the window, tells its lines apart without colour, and says everything in words."""

import re
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

from vmbackup.pages.chart import Chart, Line

START = datetime(2026, 11, 23, 23, tzinfo=timezone.utc)


def chart(*lines: Line, name: str = "Snapshot") -> str:
    return Chart("all in words", lines, (START, START + timedelta(minutes=10)), name).svg()


def line(name: str, *values: float) -> Line:
    return Line(name, [(START + timedelta(minutes=number), value) for number, value in enumerate(values)])


def test_it_is_one_image_with_its_words_for_screen_readers() -> None:
    image = ElementTree.fromstring(chart(line("CPU", 10, 99)))
    assert image.attrib["role"] == "img"
    assert image.attrib["aria-label"] == "all in words"


def test_the_window_is_shaded_between_its_times() -> None:
    drawn = chart(line("CPU", 10, 99))
    [shade] = re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    assert float(shade[1]) > 100
    assert "23:00" in drawn
    assert "23:10" in drawn


def test_lines_differ_in_dash_and_carry_their_names() -> None:
    drawn = chart(line("CPU", 10, 20), line("Memory", 80, 70))
    dashes = re.findall(r'<polyline[^>]*stroke-dasharray="([^"]*)"', drawn)
    assert len(set(dashes)) == 2
    assert ">CPU<" in drawn
    assert ">Memory<" in drawn


def test_names_of_lines_that_end_together_do_not_cover_each_other() -> None:
    drawn = chart(*(line(f"series {number}", 50) for number in range(5)))
    heights = sorted(float(each) for each in re.findall(r'<text x="[\d.]+" y="([\d.]+)">series', drawn))
    assert all(later - earlier >= 14 for earlier, later in zip(heights, heights[1:], strict=False))


def test_what_is_beyond_the_scale_stays_in_the_picture() -> None:
    drawn = chart(line("CPU", -5, 400))
    [points] = re.findall(r'points="([^"]*)"', drawn)
    assert all(0 <= float(point.split(",")[1]) <= 300 for point in points.split())


def test_a_line_without_points_is_left_out() -> None:
    assert "<polyline" not in chart(line("CPU"))


def test_names_are_text() -> None:
    assert "<script>" not in chart(line("<script>alert(1)</script>", 1, 2), name="<b>window</b>")
