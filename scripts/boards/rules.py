"""The alerting rules for the Prometheus operator: the same groups as alerts/sqswatch.yaml, word for word, as a PrometheusRule."""

HEAD = """\
# Made by scripts/dashboards.py from alerts/sqswatch.yaml: edit that, then run it.
# For clusters with the Prometheus operator; add the labels that its `ruleSelector` asks for.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sqswatch
  namespace: sqswatch
  labels:
    app.kubernetes.io/name: sqswatch
spec:
"""


def operator(folder):
    """The manifest. Rule files and `spec` have the same shape, so it is an indentation away."""
    text = (folder / "sqswatch.yaml").read_text(encoding="utf-8")
    groups = text[text.index("groups:\n") :]
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
