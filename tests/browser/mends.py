"""What is wrong with a page as a browser shows it."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page


def mends(page: Page) -> list[str]:
    """What axe-core would have mended, and whether the page is wider than the window."""
    found = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("too wide")
    return found
