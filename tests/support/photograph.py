"""The picture of a drift report in the README: `python -m tests.support.photograph` takes it again."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reconciler import __version__
from reconciler.views.drift_html import drift_html
from tests.support.browser import chromium
from tests.support.drift_sample import EARLIER, REPORT

PICTURE = Path(__file__).parents[2] / ".github" / "drift-report.png"
KEY = "page"
"""What the picture remembers: a digest of the page that it shows."""


def page() -> str:
    """The page."""
    return drift_html(REPORT, EARLIER)


def digest(text: str) -> str:
    """Of the page, whichever version made it."""
    return hashlib.sha256(text.replace(f"reconcile {__version__}", "").encode()).hexdigest()


def remembered(picture: Path = PICTURE) -> str | None:
    """The digest of the page that the picture shows."""
    with Image.open(picture) as image:
        found = image.info.get(KEY)
        return found if isinstance(found, str) else None


def take(picture: Path = PICTURE) -> None:
    """Photograph the page, as long as it is."""
    with TemporaryDirectory() as folder, chromium() as browser:
        place, file = Path(folder), Path(folder) / "drift.html"
        file.write_text(page(), encoding="utf-8")
        opened = browser.new_page(viewport={"width": 1000, "height": 700})  # type: ignore[attr-defined]
        opened.goto(file.as_uri())
        opened.screenshot(path=str(place / "page.png"), full_page=True)
        about = PngInfo()
        about.add_text(KEY, digest(page()))
        with Image.open(place / "page.png") as image:
            image.convert("RGB").quantize(192, Image.Quantize.MAXCOVERAGE).save(picture, pnginfo=about, optimize=True)


if __name__ == "__main__":
    take()
