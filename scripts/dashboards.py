"""Writes dashboards/*.json, and the PrometheusRule of alerts/. Python 3.10 or newer and nothing else.

    python3 scripts/dashboards.py            writes them
    python3 scripts/dashboards.py --check    exit code 1 if one is not what would be written

The dashboards are described in scripts/boards/, one module each; edit those, not the JSON.
"""

import argparse
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # the tree stays as it is

from boards import daemon, overview, queue, rules

ROOT = pathlib.Path(__file__).resolve().parent.parent


def wanted():
    """Each file that is made, with its text."""
    for name, module in {"overview": overview, "queue": queue, "daemon": daemon}.items():
        text = json.dumps(module.dashboard(), indent=1, ensure_ascii=False) + "\n"
        yield ROOT / "dashboards" / f"{name}.json", text
    yield ROOT / "deploy/kubernetes/prometheusrule.yaml", rules.operator(ROOT / "alerts")


def main():
    parser = argparse.ArgumentParser(description="Writes dashboards/*.json and deploy/kubernetes/prometheusrule.yaml.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file is not what would be written"
    )
    check = parser.parse_args().check
    stale = [(path, text) for path, text in wanted() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is not what scripts/dashboards.py writes: run it", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
