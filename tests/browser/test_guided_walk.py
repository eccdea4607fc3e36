"""The walk in a real JupyterLab, as an operator does it: mouse or keyboard, light or dark, German or English."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import expect
from tests.browser.conftest import Book, Lab, change_theme, save, serious

# Each runbook over a world of its section, with the cause it should stop at. That an agent is silent is found, but
# explains nothing.
SYMPTOM = "01_agent_unreachable"
RUNBOOKS = {
    "01_agent_unreachable": ("agent_stopped_linux", "The agent installed in the VM is out of date"),
    "02_snapshot_no_network": ("no_internet_linux", "The VM has no Internet access"),
    "03_snapshot_extension_failed": ("extension_failed_windows", "The backup extension fails to update or load"),
    "04_agent_not_responsive": ("agent_old_windows", "The agent is installed in the VM, but it's unresponsive"),
    "05_internal_error": ("snapshot_rdp_shutdown_windows", "The snapshot status can't be retrieved"),
    "06_disk_not_supported": ("disk_too_large_windows", "The specified disk configuration is not supported"),
}


@contextmanager
def at_its_cause(open_book: Any, name: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Book]:
    """A runbook run through in its world, which must lead to its cause and pass axe. Each of the six is opened so."""
    scenario, cause = RUNBOOKS[name]
    with open_book(name, parameters or {"scenario": scenario}) as book:
        book.run_all()
        expect(book.expanded).to_contain_text("✖ Symptom" if name == SYMPTOM else "✖ Found")
        expect(book.expanded).to_contain_text(cause)
        expect(book.tool).to_contain_text("Undecided" if name == SYMPTOM else "Probable cause found")
        book.finished()
        assert serious(book.page, ".vmbackup-guide") == []
        yield book


def test_checking_again_sees_what_has_changed_in_the_world(open_book: Any, lab: Lab) -> None:
    scenario = "disk_too_large_windows"
    with at_its_cause(open_book, "06_disk_not_supported", lab.live(scenario)) as book:
        large = next(disk for disk in lab.machine(scenario)["disks"] if disk["size_gb"] > 32767)
        large |= {"size_gb": 32767, "sku": "Premium_LRS"}
        asked = len(lab.simulator.requests)
        book.button("Re-check").click()
        expect(book.expanded).to_contain_text("? Cannot tell")
        expect(book.tool).to_contain_text("only the next good backup proves")
        paths = {path.rsplit("/", 1)[-1] for _, path in lab.simulator.requests[asked:]}
        assert "effectiveNetworkSecurityGroups" not in paths, "only this cause's facts are asked again"


def test_output_of_the_guest_script_is_pasted_where_the_agent_is_dead(open_book: Any, lab: Lab) -> None:
    scenario = "agent_stopped_linux"
    with at_its_cause(open_book, "01_agent_unreachable", lab.live(scenario)) as book:
        book.button("Show script").click()
        book.button("Copy script").click()
        expect(book.button("Copied")).to_be_visible()
        assert book.page.evaluate("navigator.clipboard.readText()").startswith("#!/bin/sh")
        book.button("Paste output").click()
        field = book.tool.get_by_label("Output of the guest script")
        field.fill("nothing of the kind")
        book.button("Read this output").click()
        expect(book.status).to_contain_text("There is no output of the guest script in this text")
        field.fill(lab.guest_output("agent_stopped", scenario))
        book.button("Read this output").click()
        expect(book.status).to_have_text("The output of the guest script was read.")
        expect(book.tool).to_contain_text("guest script on")
        restarted_and_resumed(book)


def restarted_and_resumed(book: Book) -> None:
    """A kernel that ends in the middle loses nothing: what was pasted and skipped is there again."""
    book.button("Skip with a reason").click()
    book.button("Leave this step open").click()
    expect(book.status).to_contain_text("Say why this step is left open")
    book.tool.get_by_label("Reason").fill("<b>agent</b> restarts at 04:00")
    book.button("Leave this step open").click()
    expect(book.status).to_contain_text("The step was left open")
    expect(book.tool).to_contain_text("<b>agent</b> restarts at 04:00")
    book.restart_kernel()
    book.run_all()
    book.button("Resume the earlier walk").click()
    expect(book.status).to_have_text("The earlier walk was resumed.")
    expect(book.tool).to_contain_text("<b>agent</b> restarts at 04:00")
    expect(book.tool).to_contain_text("Output of the guest script was pasted in")


def test_plan_confirm_apply_retry_fixed_and_saved_for_the_ticket(open_book: Any, lab: Lab) -> None:
    with open_book("01_agent_unreachable", {**lab.live("agent_old_linux"), "run_folder": "ticket"}) as book:
        book.run_all()
        book.button("Plan a remedy").click()
        apply = book.tool.get_by_role("button", name=re.compile("^Apply: ")).first
        apply.click()
        book.button("No, change nothing").click()
        assert not [method for method, _ in lab.simulator.requests if method == "DELETE"]
        apply.click()
        book.button("Yes, apply it now").click()
        book.others.click()  # the tool stays usable while it works
        book.step("The snapshot status").click()
        expect(book.status).to_contain_text("The remedy has ended")
        book.button("Back up now").click()
        book.button("Yes, back up now").click()
        expect(book.status).to_contain_text("The backup has ended")
        expect(book.step("The agent installed in the VM")).to_contain_text("✔ Ruled out")
        expect(book.tool).to_contain_text("Fixed: the job completed")
        book.button("Save for the ticket").click()
        expect(book.status).to_have_text("Saved for the ticket.")
        with book.page.expect_download() as download:
            book.tool.get_by_role("link", name="Download ticket.zip").click()
        assert download.value.suggested_filename == "ticket.zip"
        folder = lab.folder / "ticket"
        saved = {path.name for path in folder.iterdir()}
        assert {"ticket.zip", "ticket", "result.json", "evidence.json"} <= saved
        assert {"runbook.html", "incident.txt", "manifest.json"} <= {
            path.name for path in (folder / "ticket").iterdir()
        }
        first = (folder / "ticket" / "notebook.html").read_text("utf-8").partition("<details>")[0]
        assert "Fixed, proved by a new backup" in first, "the notebook was saved first"
        result = json.loads((folder / "result.json").read_text("utf-8"))
        assert result["proof"]["fixed"] is True
        assert result["remedies"][0]["outcome"] == "done"


def test_everything_unfolded_passes_axe_in_both_themes_and_languages(open_book: Any) -> None:
    parameters = {"scenario": "agent_old_linux", "language": "de"}
    with open_book("01_agent_unreachable", parameters) as book:
        book.run_all()
        expect(book.tool).to_contain_text("Wahrscheinliche Ursache gefunden")
        for fold in book.tool.locator("summary").all():
            if fold.is_visible():
                fold.click()
        for name in ("Abhilfe planen", "Skript zeigen", "Ausgabe einfügen", "Mit Grund überspringen"):
            book.button(name).click()
            assert serious_in_both_themes(book) == []
        book.button("English").click()
        expect(book.tool).to_contain_text("Probable cause found")
        assert serious_in_both_themes(book) == []


def serious_in_both_themes(book: Book) -> list[str]:
    found = []
    for theme in ("Dark", "Light"):
        change_theme(book.page, theme)
        found += serious(book.page, ".vmbackup-guide")
    return found


def test_the_keyboard_alone_is_enough_and_focus_is_seen(open_book: Any) -> None:
    with at_its_cause(open_book, "05_internal_error") as book:
        keys = book.page.keyboard
        book.button("Deutsch").focus()
        keys.press("Tab")
        expect(book.button("Ask everything again")).to_be_focused()
        outline = book.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        expanded, first = book.expanded, book.tool.locator("button.vmbackup-step:visible").first
        if first.get_attribute("aria-expanded") == "true":
            first.click()
            book.button("Ask everything again").focus()
        number = first.inner_text().split(".")[0][2:]
        keys.press("Tab")
        keys.press("Enter")
        expect(expanded).to_contain_text(f"{number}. ")
        expect(first).to_be_focused()
        keys.press("Space")
        expect(expanded).to_have_count(0)
        keys.press("Enter")
        expect(expanded).to_contain_text(f"{number}. ")
        for _ in range(12):
            keys.press("Tab")
            if book.page.evaluate("document.activeElement.textContent") == "Re-check":
                break
        keys.press("Space")
        expect(book.status).to_have_text("This cause was checked again.")
        expect(book.button("Re-check")).to_be_enabled()


def test_what_a_key_did_never_takes_the_keyboard_out_of_the_tool(open_book: Any, lab: Lab) -> None:
    with at_its_cause(open_book, "03_snapshot_extension_failed", lab.live("extension_failed_windows")) as book:

        def press(name: str) -> None:
            book.button(name).focus()
            book.page.keyboard.press("Enter")

        press("Re-check")
        expect(book.status).to_have_text("This cause was checked again.")
        expect(book.button("Re-check")).to_be_focused()
        press("Plan a remedy")
        expect(book.button("Plan a remedy")).to_have_attribute("aria-expanded", "true")
        expect(book.button("Show script")).to_have_attribute("aria-expanded", "false")
        apply = book.tool.get_by_role("button", name=re.compile("^Apply: ")).first
        apply.focus()
        book.page.keyboard.press("Enter")
        expect(book.tool.get_by_role("alert")).to_contain_text("Apply now: ")
        press("No, change nothing")
        expect(apply).to_be_focused()
        press("Skip with a reason")
        book.tool.get_by_label("Reason").fill("later")
        press("Leave this step open")
        expect(book.status).to_contain_text("The step was left open")
        inside = book.tool.locator("button:focus:not(.vmbackup-commits)")
        expect(inside).to_have_count(1)
        press("Back up now")
        press("Yes, back up now")
        expect(book.status).to_contain_text("The backup is running")
        expect(book.tool.locator(":focus")).to_have_count(1)
        expect(book.status).to_contain_text("The backup has ended")
        expect(inside).to_have_count(1)


def test_the_message_of_what_was_pressed_is_in_view_where_it_was_pressed(open_book: Any, lab: Lab) -> None:
    with at_its_cause(open_book, "04_agent_not_responsive", lab.live("agent_old_windows")) as book:
        book.button("Back up now").click()
        book.button("Yes, back up now").click()
        expect(book.status).to_contain_text("The backup")
        expect(book.status).to_be_in_viewport()
        expect(book.button("Deutsch")).not_to_be_in_viewport()
        expect(book.status).to_contain_text("The backup has ended")


def test_what_is_asked_is_in_view_while_everything_runs(open_book: Any, lab: Lab) -> None:
    with open_book("01_agent_unreachable", lab.live("agent_stopped_linux")) as book, lab.slow(500):
        book.run_all(wait=False)
        asking = book.page.get_by_text(re.compile(r"^\d+ of \d+ queries answered after"))
        expect(asking).to_be_in_viewport()
        expect(book.status).not_to_have_text("")
        expect(asking).to_have_count(0)
        book.finished()
        expect(book.status).to_be_in_viewport()
        reloaded_while_everything_is_asked(book)


def test_verdicts_come_one_by_one_and_what_is_pressed_stays_in_place(open_book: Any, lab: Lab) -> None:
    with open_book("01_agent_unreachable", lab.live("agent_stopped_linux")) as book:
        book.page.set_viewport_size({"width": 1280, "height": 900})
        with lab.slow(200):
            book.run_all(wait=False)
            symptom = book.tool.locator("button.vmbackup-problem")
            expect(symptom).to_contain_text("✖ Symptom (still checking)")
            counts = [book.pending.count()]
            cells = book.page.locator(".jp-OutputArea-output", has_text="This fills in by itself").all_inner_texts()
            assert counts[0] > 10, "the first verdict does not wait for the others"
            assert not any("Ruled out" in words or "Cannot tell" in words for words in cells)
            while counts[-1]:
                book.page.wait_for_timeout(30)
                counts += [count for count in [book.pending.count()] if count != counts[-1]]
        assert counts == sorted(counts, reverse=True)
        assert len(counts) >= 4, "one by one"
        expect(book.page.locator(".jp-OutputArea-output", has_text="This fills in by itself")).to_have_count(0)
        expect(book.page.locator(".jp-OutputArea-output", has_text="Saved in")).not_to_have_count(0)
        book.finished()
        stays_in_place(book)


def stays_in_place(book: Book) -> None:
    """Each cause that is opened, the others and a plan; with the plan, the tool still fits on two screens."""
    buttons = [*book.tool.locator("button.vmbackup-step:visible").all(), book.others, book.others]
    for button in (*buttons, book.step("The agent installed in the VM"), book.button("Plan a remedy")):
        button.scroll_into_view_if_needed()
        before = button.bounding_box()
        was = button.get_attribute("aria-expanded")
        button.click()
        expect(button).not_to_have_attribute("aria-expanded", str(was))
        book.page.wait_for_timeout(100)
        after = button.bounding_box()
        assert before
        assert after
        assert abs(after["y"] - before["y"]) <= 4, f"{button.inner_text()} moved"
    tool = book.tool.bounding_box()
    assert tool
    assert tool["height"] < 2 * 900


def test_cancelled_in_the_first_collection_the_tool_and_the_cells_keep_what_came(open_book: Any, lab: Lab) -> None:
    with open_book("01_agent_unreachable", lab.live("agent_stopped_linux")) as book:
        with lab.slow(1000):
            book.run_all(wait=False)
            expect(book.tool.locator("button.vmbackup-problem")).to_contain_text("still checking")
            book.finished()  # no cell is running: nothing looks hung
            book.button("Cancel").click()
            expect(book.status).to_contain_text("What had arrived is kept")
        expect(book.pending).to_have_count(0)
        expect(book.expanded).to_contain_text("✖ Symptom")
        expect(book.step("The VM has no Internet access")).to_contain_text("? Cannot tell")
        expect(book.page.locator(".jp-OutputArea-output", has_text="Saved in")).not_to_have_count(0)
        book.button("Ask everything again").click()
        expect(book.status).to_have_text("Everything was collected again.")


def reloaded_while_everything_is_asked(book: Book) -> None:
    """The page that comes back shows how the asking goes on, and its buttons work."""
    save(book.page)
    book.button("Ask everything again").click()
    expect(book.status).to_have_text("Asking Azure …")
    book.page.reload()
    expect(book.status).to_have_text("Everything was collected again.")
    book.button("Re-check").click()
    expect(book.status).to_have_text("This cause was checked again.")


def test_hostile_names_are_shown_as_text(open_book: Any) -> None:
    with open_book("03_snapshot_extension_failed", {"scenario": "error_hostile_names"}) as book:
        dialogs: list[str] = []
        book.page.once("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        book.run_all()
        expect(book.tool).to_contain_text("vm-<script>alert(1)-🙂")
        for fold in book.tool.locator("summary").all():
            if fold.is_visible():
                fold.click()
        assert book.tool.locator("script, img, svg[onload]").count() == 0
        assert dialogs == [], "a script ran"
        expect(book.page.locator(".jp-Notebook")).to_contain_text("alert(5)</script> $x^2$")
        assert book.page.locator("mjx-container").count() == 0, "words of Azure became a formula"


def test_at_200_percent_on_a_small_screen_nothing_is_cut_off(open_book: Any) -> None:
    with open_book("01_agent_unreachable", {"scenario": "agent_stopped_linux"}) as book:
        # A page at 200 % on 1280 × 720 has this many of its own pixels.
        book.page.set_viewport_size({"width": 640, "height": 360})
        book.run_all()
        book.finished()
        book.button("Plan a remedy").click()
        wide = book.page.evaluate(
            """() => [...document.querySelectorAll('.vmbackup-guide *')].filter(each =>
                 each.clientWidth && each.scrollWidth > each.clientWidth + 1 &&
                 getComputedStyle(each).overflowX === 'hidden').map(each => each.outerHTML.slice(0, 120))"""
        )
        assert wide == []
        outside = book.page.evaluate(
            """() => document.querySelector('.vmbackup-guide').getBoundingClientRect().right -
                 document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect().right"""
        )
        assert outside <= 0


def test_reloading_the_page_shows_the_tool_again(open_book: Any) -> None:
    with at_its_cause(open_book, "02_snapshot_no_network") as book:
        book.others.click()
        book.step("The snapshot status").click()
        expect(book.expanded).to_contain_text("The snapshot status")
        save(book.page)
        book.page.reload()
        expect(book.expanded).to_contain_text("The snapshot status")
