"""Draws the dashboards with the data of a demo, into docs/pictures/*.png.

No Grafana: this reads the dashboards' JSON, asks a Prometheus the same queries, and draws the
panels in their grid by Chromium. It needs a release build of leasewatch, Debian's prometheus,
chromium and pngquant, and no more Python than its standard library.

    python3 scripts/pictures [--minutes N] [--prometheus URL] [--out FOLDER] [--html] [NAME…]
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from ask import Prometheus, seconds  # noqa: E402
from page import page  # noqa: E402
from stage import prometheus, tool  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
#: Those that the documentation shows.
SHOWN = ("overview", "issuing", "revocation", "anomalies")
#: Another time than the dashboard's own, where a demo has more to show.
TIMES = {"revocation": "2h"}


def say(text):
    print(f"pictures: {text}", file=sys.stderr)


def draw(name, url, folder, out, html):
    """One picture, or the page that it is taken of."""
    board = json.loads((ROOT / f"dashboards/leasewatch-{name}.json").read_text())
    back = TIMES.get(name, board["time"]["from"].removeprefix("now-"))
    note = f"last {back} of a demo, every variable at All"
    text, (width, height) = page(board, Prometheus(url, seconds(back)), note)
    source, picture = (out if html else folder) / f"{name}.html", out / f"{name}.png"
    source.write_text(text)
    if html:
        return
    chromium = tool("chromium", "apt-get install chromium")
    subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/chromium",
                    f"--window-size={width},{height}", f"--screenshot={picture}", source.as_uri()],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([tool("pngquant", "apt-get install pngquant"), "--force", "--ext", ".png", "64", picture], check=True)
    say(f"{picture}: {width} x {height}, {picture.stat().st_size // 1000} kB")


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"dashboards; {', '.join(SHOWN)} unless told")
    reader.add_argument("--minutes", type=int, default=12, help="how long the demo is scraped before (default 12)")
    reader.add_argument("--prometheus", metavar="URL", help="one that is there already, instead of a demo")
    reader.add_argument("--leasewatch", default=str(ROOT / "target/release/leasewatch"), help="the program")
    reader.add_argument("--html", action="store_true", help="write pages, and take no pictures of them")
    reader.add_argument("--out", type=Path, default=ROOT / "docs/pictures")
    arguments = reader.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="leasewatch-pictures-") as folder:
        folder = Path(folder)
        there = contextlib.nullcontext(arguments.prometheus) if arguments.prometheus else prometheus(
            folder, arguments.leasewatch, arguments.minutes, say)
        with there as url:
            for name in arguments.names or SHOWN:
                draw(name, url, folder, arguments.out, arguments.html)


if __name__ == "__main__":
    main()
