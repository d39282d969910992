"""Hostile files, attached in a real browser and opened in it: nothing in them runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.hostile import HTML, SVG, XML, pdf_with_script, picture, polyglot_gif, script_named_gif, zip_bomb

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SignIn = Callable[..., Page]
FILES = {
    "page.html": HTML,
    "drawing.svg": SVG,
    "sheet.xml": XML,
    "polyglot.gif": polyglot_gif(),
    "script.gif": script_named_gif(),
    "action.pdf": pdf_with_script(),
    "bomb.zip": zip_bomb(),
    "picture.png": picture(size=(900, 600)),
}


def attach(page: Page, path: Path) -> None:
    page.locator("#attachment_file").set_input_files(path)
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.locator(".attachment-name", has_text=path.name)).to_be_visible()


def test_no_script_of_a_hostile_file_runs(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("maintainer", accept_downloads=True)
    dialogs: list[str] = []
    asked: set[str] = set()

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.context.on("dialog", close)
    page.context.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.goto("/issues/API-2/")
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        attach(page, tmp_path / name)
    links = {
        link.inner_text(): link.get_attribute("href") or "" for link in page.locator(".attachment-name").all()
    }
    assert links.keys() == FILES.keys()

    for name, path in links.items():
        opened = page.context.new_page()
        if name in {"polyglot.gif", "picture.png"}:
            reply = opened.goto(path)
            assert reply
            assert reply.headers["content-type"].startswith("image/")
        else:
            with opened.expect_download() as download, pytest.raises(Exception, match=r"[Dd]ownload"):
                opened.goto(path)
            assert download.value.path().read_bytes() == FILES[name]
        assert opened.title() != "ran"
        # The same as a frame, an object, a style, a script and a picture of a page of this host.
        page.evaluate(
            """path => Promise.all(["iframe", "object", "embed", "script", "link", "img"].map(name => {
                const element = document.createElement(name);
                element[{object: "data", link: "href"}[name] || "src"] = path;
                if (name === "link") element.rel = "stylesheet";
                document.body.append(element);
                return new Promise(done => {
                    element.onload = element.onerror = done;
                    setTimeout(done, 500);
                });
            }))""",
            path,
        )
        opened.close()
    assert page.title() != "ran"
    assert dialogs == []
    assert len(asked) == 1


def test_files_are_attached_renamed_and_deleted_without_javascript(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("developer", java_script_enabled=False)
    path = tmp_path / "notes.txt"
    path.write_text("What I saw.")
    page.goto("/issues/API-3/")
    attach(page, path)
    page.get_by_role("link", name="Rename notes.txt").click()
    page.get_by_label("Name").fill("seen.txt")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".attachment-name")).to_have_text("seen.txt")
    page.get_by_role("link", name="Delete seen.txt").click()
    page.get_by_role("button", name="Delete the file").click()
    expect(page.locator(".attachment")).to_have_count(0)


def test_a_picture_of_oneself_is_set_and_removed_and_thumbnails_appear(
    sign_in: SignIn, tmp_path: Path
) -> None:
    page = sign_in("admin")
    path = tmp_path / "me.png"
    path.write_bytes(picture(size=(300, 200)))
    page.goto("/settings/avatar/")
    page.get_by_label("New picture").set_input_files(path)
    page.get_by_role("button", name="Save").click()
    shown = page.get_by_alt_text("Your picture")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [200, 200]
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("main")).to_contain_text("You have no picture yet")

    page.goto("/issues/API-4/")
    attach(page, path)
    for _ in range(50):
        if page.locator(".attachment-picture img").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    picture_of_it = page.locator(".attachment-picture img")
    expect(picture_of_it).to_have_count(1)
    picture_of_it.scroll_into_view_if_needed()
    expect(picture_of_it).to_have_js_property("naturalWidth", 300)
