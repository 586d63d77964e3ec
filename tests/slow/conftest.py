"""Pages in a browser, for all tests that open some."""

import pytest
from lab import chromium, opened


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser, address):
    """Open pages below `address`; then nothing was asked from elsewhere, was missing or complained."""
    pages = []

    def open_page(path, **screen):
        pages.append(opened(browser, address + path, **screen))
        return pages[-1]

    yield open_page
    for page in pages:
        assert page.complaints == [], page.url
        assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == [], page.url
        page.close()
