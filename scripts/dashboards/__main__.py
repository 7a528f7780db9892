"""Writes the dashboards into dashboards/*.json; with --check only says which are not current.

    python3 scripts/dashboards [--check]
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

import anomalies  # noqa: E402
import health  # noqa: E402
import issuing  # noqa: E402
import leases  # noqa: E402
import overview  # noqa: E402
import revocation  # noqa: E402
import security  # noqa: E402
from promql import ROOT  # noqa: E402

BOARDS = (overview, leases, issuing, revocation, anomalies, security, health)


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    for module in BOARDS:
        board = module.make()
        path = ROOT / "dashboards" / f"{board.uid}.json"
        text = json.dumps(board.json, indent=2, ensure_ascii=False) + "\n"
        if arguments:
            if not path.is_file() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
    if stale:
        print(f"not current: {', '.join(stale)}; run python3 scripts/dashboards", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
