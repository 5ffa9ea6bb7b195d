"""`python -m documentation SITE`: what `make docs` calls, in the environment of requirements/docs.in."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from documentation import pages

HERE = Path(__file__).parent


def main() -> int:
    """Build the site, print where it is; not 0 where a link is broken, or a page is missing from the nav."""
    site = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="documentation-") as folder:
        pages.write(Path(folder, "pages"))
        shutil.copy(HERE / "mkdocs.yml", folder)
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
        # Material would tell at each build of what comes after it: docs/decisions has it.
        built = subprocess.run(command, cwd=folder, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    if built.returncode == 0:
        print(f"{sum(1 for _ in site.rglob('*.html'))} pages: {(site / 'index.html').as_uri()}")
    return built.returncode


if __name__ == "__main__":
    sys.exit(main())
