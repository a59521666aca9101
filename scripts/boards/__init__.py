"""The Grafana dashboards as Python: `grafana` knows Grafana, the others say what is shown, one module a dashboard."""
