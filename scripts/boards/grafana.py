"""Grafana's side: panels, variables, links and the layout, in the JSON that Grafana 12 and 13 write (schema 42).

It knows nothing of queues. Ids and grid positions follow from the order in which a dashboard names its rows and panels, so no
two panels share an id or overlap. Every panel must have a description, a unit and thresholds.
"""

SCHEMA = 42
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24

# Thresholds: pairs of colour and the value from which it holds.
PLAIN = (("green", None),)


def above(**colours):
    """Thresholds from green up: `above(orange=0.5, red=0.9)`."""
    return (("green", None), *colours.items())


def below(value):
    """Red below `value`, green from there."""
    return (("red", None), ("green", value))


def _steps(pairs):
    return {"mode": "absolute", "steps": [{"color": colour, "value": value} for colour, value in pairs]}


def quoted(text):
    """As PromQL quotes a label's value."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(texts):
    """Value mappings: `words({0: ("no", "red")})`."""
    options = {
        str(value): {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(texts.items())
    }
    return [{"type": "value", "options": options}]


def link(title, url, *, new_tab=False):
    """A data link: on a value of a panel."""
    return {"title": title, "url": url, "targetBlank": new_tab}


def _targets(queries, *, instant, table=False):
    if isinstance(queries, str):
        queries = {queries: "__auto"}
    if not isinstance(queries, dict):
        queries = {expression: "" for expression in queries}
    return [
        {
            "refId": chr(ord("A") + number),
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": expression,
            "legendFormat": legend,
            "instant": instant,
            "range": not instant,
            **({"format": "table"} if table else {}),
        }
        for number, (expression, legend) in enumerate(queries.items())
    ]


def _panel(kind, title, description, size, *, unit, steps, targets, options, custom=None, **defaults):
    field = {"unit": unit, "thresholds": _steps(steps), "mappings": [], **defaults}
    if custom is not None:
        field["custom"] = custom
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "targets": targets,
        "fieldConfig": {"defaults": field, "overrides": []},
        "options": options,
    }


def stat(title, description, unit, expression, *, steps=PLAIN, size=(3, 4), text=False, **defaults):
    """One number, now. Its background has the colour of the thresholds."""
    options = {
        "colorMode": "none" if steps == PLAIN and "mappings" not in defaults else "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "name" if text else "auto",
        "wideLayout": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    defaults = {"noValue": "–", "color": {"mode": "thresholds"}, **defaults}
    targets = _targets(expression, instant=True)
    return _panel(
        "stat", title, description, size, unit=unit, steps=steps, targets=targets, options=options, **defaults
    )


def gauge(title, description, expression, *, steps, size=(3, 4)):
    """A share of something that must not reach 100 %."""
    options = {
        "orientation": "auto",
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    defaults = {"noValue": "–", "color": {"mode": "thresholds"}, "min": 0, "max": 1}
    targets = _targets(expression, instant=True)
    return _panel(
        "gauge", title, description, size, unit="percentunit", steps=steps, targets=targets, options=options, **defaults
    )


def timeseries(
    title, description, unit, queries, *, steps=PLAIN, size=(8, 8), stacked=False, bars=False, links=(), **defaults
):
    """Lines (or bars) over time: expressions with their legends. Thresholds other than `PLAIN` are drawn."""
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 60 if bars else 20 if stacked else 8,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if steps == PLAIN else "dashed"},
        "axisPlacement": "auto",
    }
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = {"min": 0, "color": {"mode": "palette-classic"}, "links": list(links), **defaults}
    targets = _targets(queries, instant=False)
    return _panel(
        "timeseries",
        title,
        description,
        size,
        unit=unit,
        steps=steps,
        targets=targets,
        options=options,
        custom=custom,
        **defaults,
    )


def spans(title, description, queries, *, mappings, size=(24, 7), links=()):
    """A state timeline: when each of several things was in which state."""
    options = {
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    defaults = {"mappings": mappings, "color": {"mode": "thresholds"}, "noValue": "–", "links": list(links)}
    targets = _targets(queries, instant=False)
    custom = {"fillOpacity": 80, "lineWidth": 0}
    return _panel(
        "state-timeline",
        title,
        description,
        size,
        unit="none",
        steps=PLAIN,
        targets=targets,
        options=options,
        custom=custom,
        **defaults,
    )


def column(title, unit="short", *, steps=PLAIN, links=(), width=None, **properties):
    """A column of a table. Thresholds other than `PLAIN` colour its cells."""
    found = {"unit": unit, "thresholds": _steps(steps), **properties}
    if steps != PLAIN or "mappings" in properties:
        found["custom.cellOptions"] = {"type": "color-text"}
        found["color"] = {"mode": "thresholds"}
    if links:
        found["links"] = list(links)
    if width:
        found["custom.width"] = width
    return title, found


def table(title, description, queries, columns, *, size=(12, 9), sort=None):
    """Instant queries side by side, joined on their labels. `columns` has labels and `Value` (or `Value #A`, ...) in order."""
    panel = _panel(
        "table",
        title,
        description,
        size,
        unit="short",
        steps=PLAIN,
        targets=_targets(queries, instant=True, table=True),
        options={
            "cellHeight": "sm",
            "showHeader": True,
            "sortBy": [{"displayName": sort, "desc": True}] if sort else [],
        },
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True},
        noValue="–",
    )
    panel["fieldConfig"]["overrides"] = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": key, "value": value} for key, value in properties.items()],
        }
        for name, properties in columns.values()
    ]
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {field: place for place, field in enumerate(columns)},
        "renameByName": {field: name for field, (name, _) in columns.items()},
    }
    panel["transformations"] = [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}]
    return panel


def _variable(name, label, description, kind, **more):
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": kind,
        "hide": 0,
        "skipUrlSync": False,
        **more,
    }


def datasource():
    """Which Prometheus."""
    return _variable(
        "datasource",
        "Data source",
        "The Prometheus that scrapes sqswatch",
        "datasource",
        query="prometheus",
        refresh=1,
        regex="",
        multi=False,
        includeAll=False,
        options=[],
        current={},
    )


def choice(name, label, description, query, *, many=True, regex="", hide=0):
    """What a query finds: with `many`, several or all of it; else one."""
    everything = {"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}} if many else {"current": {}}
    found = _variable(
        name,
        label,
        description,
        "query",
        datasource=DATASOURCE,
        query={"query": query, "refId": name, "qryType": 5},
        definition=query,
        # On every load; a change of the time range asks nothing again.
        refresh=1,
        regex=regex,
        sort=1,
        multi=many,
        includeAll=many,
        options=[],
        **everything,
    )
    return found | {"hide": hide}


def textbox(name, label, description, value):
    """What people type."""
    option = {"text": value, "value": value}
    return _variable(
        name, label, description, "textbox", query=value, current=option, options=[option | {"selected": True}]
    )


def custom(name, label, description, values):
    """One of a few; the first by default."""
    options = [{"text": value, "value": value, "selected": value == values[0]} for value in values]
    return _variable(
        name,
        label,
        description,
        "custom",
        query=",".join(values),
        current={"text": values[0], "value": values[0]},
        options=options,
        multi=False,
        includeAll=False,
    )


def annotation(name, colour, expression, title, text):
    """Marks on every plot for as long as the expression has a value above 0."""
    target = {"refId": "Anno", "expr": expression, "editorMode": "code", "range": True, "instant": False}
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expression,
        "step": "60s",
        "titleFormat": title,
        "textFormat": text,
        "target": target,
    }


def page_link(title, url, tooltip, *, external=False):
    """A link at the head of the dashboard; to a dashboard it keeps the time range."""
    return {
        "type": "link",
        "title": title,
        "url": url,
        "tooltip": tooltip,
        "tags": [],
        "asDropdown": False,
        "includeVars": False,
        "icon": "external link" if external else "dashboard",
        "keepTime": not external,
        "targetBlank": external,
    }


def row(title, panels, *, collapsed=False):
    """A heading with the panels under it; a collapsed one asks nothing until it is opened."""
    return title, collapsed, panels


def _placed(panels, top):
    """Gives each panel its place, left to right, line by line from `top`; the line below the last is returned."""
    x, y, tallest = 0, top, 0
    for panel in panels:
        place = panel["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        panel["gridPos"] = {"h": place["h"], "w": place["w"], "x": x, "y": y}
        x, tallest = x + place["w"], max(tallest, place["h"])
    return y + tallest


def _laid_out(rows):
    top, everything, ids = 0, [], iter(range(1, 10_000))
    for title, collapsed, panels in rows:
        heading = {
            "id": next(ids),
            "type": "row",
            "title": title,
            "collapsed": collapsed,
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
            "panels": [],
        }
        below_panels = _placed(panels, top + 1)
        panels = [{"id": next(ids), **panel} for panel in panels]
        if collapsed:
            heading["panels"], top = panels, top + 1
            everything.append(heading)
        else:
            everything += [heading, *panels]
            top = below_panels
    return everything


def dashboard(uid, title, description, *, variables, links, annotations, rows, refresh="30s"):
    """The whole; `version` and `id` are left to Grafana."""
    builtin = {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["sqswatch", "sqs", "aws"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": refresh,
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "timepicker": {},
        "links": links,
        "annotations": {"list": [builtin, *annotations]},
        "templating": {"list": variables},
        "panels": _laid_out(rows),
    }
