"""The explorer in Chromium: seconds until the page is ready, and pictures a second while a slider is dragged.

`uv run --group browser python -m benchmarks.explorer_browser`
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests" / "slow"), str(ROOT / "tests")]

from lab import chromium, jupyterlab, opened, served  # noqa: E402
from test_explorer_browser import drag, opened_in_jupyter, trained, write_page  # noqa: E402


def rate(seen: list) -> str:
    """Return how many different pictures came in a second."""
    changes = [when for (when, units), (_, before) in zip(seen[1:], seen[:-1], strict=True) if units != before]
    seconds = (changes[-1] - changes[0]) / 1000
    return f"{(len(changes) - 1) / seconds:.1f} pictures a second ({len(changes)} in {seconds:.1f} s)"


def main() -> None:
    """Print ready times and rates."""
    with chromium() as browser, tempfile.TemporaryDirectory() as home:
        site = Path(home) / "site"
        site.mkdir()
        write_page(site)
        with served(site) as address:
            for query in ("", "activation=sigmoid&layers=2&units=32", "kernel_initializer=he_normal&layers=4&units=64"):
                start = time.perf_counter()
                trained(opened(browser, f"{address}explorer.html?{query}")).close()
                print(f"page ready after {time.perf_counter() - start:.2f} s: {query or 'as it begins'}", flush=True)
            page = trained(opened(browser, f"{address}explorer.html?kernel_initializer=glorot_uniform"))
            print(f"page, 2 hidden layers of 1 to 57 units: {rate(drag(page, seconds=4))}", flush=True)
        with jupyterlab(Path(home)) as address:
            page = opened_in_jupyter(browser, address, Path(home))
            print(f"JupyterLab, 2 hidden layers of 1 to 57 units: {rate(drag(page, seconds=4))}")


if __name__ == "__main__":
    main()
