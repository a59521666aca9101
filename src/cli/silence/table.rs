//! The list of silences and maintenance windows for people.

use serde_json::Value;

/// A text of the daemon's, harmless to a terminal; empty when it is not there.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

/// Both lists of `GET /api/v1/silences`.
pub(super) fn of(answer: &Value) -> String {
    let silences = rows(&answer["silences"], |one| {
        [
            text(&one["id"]),
            text(&one["state"]),
            text(&one["ends"]),
            matchers(one),
            text(&one["author"]),
            text(&one["reason"]),
        ]
    });
    let windows = rows(&answer["maintenance"], |one| {
        let open = one["active"] == true;
        let state = if open { "open" } else { "closed" };
        let change = if open { format!("until {}", text(&one["until"])) } else { opens(&one["next"]) };
        [text(&one["name"]), state.to_owned(), change, matchers(one), text(&one["schedule"])]
    });
    let mut whole = match silences.is_empty() {
        true => "no silences\n".to_owned(),
        false => table(["ID", "STATE", "ENDS", "SILENCES", "BY", "REASON"], &silences),
    };
    if !windows.is_empty() {
        whole.push('\n');
        whole.push_str(&table(["WINDOW", "STATE", "CHANGES", "SILENCES", "SCHEDULE"], &windows));
    }
    whole
}

fn rows<const N: usize>(list: &Value, row: impl Fn(&Value) -> [String; N]) -> Vec<[String; N]> {
    list.as_array().into_iter().flatten().map(row).collect()
}

fn opens(next: &Value) -> String {
    match text(&next["from"]) {
        from if from.is_empty() => "does not open again".to_owned(),
        from => format!("opens {from}"),
    }
}

fn matchers(one: &Value) -> String {
    let globs =
        |key: &str| one[key].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(" or ");
    let mut parts = Vec::new();
    for (what, globs) in [("alarm", globs("alarms")), ("queue", globs("queues"))] {
        if !globs.is_empty() {
            parts.push(format!("{what} {globs}"));
        }
    }
    let labels = one["labels"].as_object().into_iter().flatten();
    parts.extend(labels.map(|(name, value)| format!("{name}={}", text(value))));
    if parts.is_empty() { "everything".to_owned() } else { parts.join(", ") }
}

/// Columns as wide as their widest cell; the last one ends where it ends.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let widths: Vec<usize> = (0..N)
        .map(|column| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut whole = String::new();
    for row in [&head].into_iter().chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        whole.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        whole.push('\n');
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_lists_are_tables_and_nothing_reaches_the_terminal_raw() {
        let answer = json!({
            "silences": [
                { "id": "2f1c9a40", "state": "active", "ends": "2026-01-02T05:04:05Z", "queues": ["orders-*", "carts"],
                  "labels": { "team": "x" }, "author": "ana", "reason": "deploy\u{1b}[31m" },
                { "id": "b", "state": "expired", "ends": "2026-01-01T00:00:00Z", "all": true, "author": "bo", "reason": "r" }
            ],
            "maintenance": [
                { "name": "nightly", "active": true, "until": "2026-01-02T06:00:00Z", "alarms": ["*"], "schedule": "every day" },
                { "name": "once", "active": false, "alarms": ["a"], "schedule": "x to y" }
            ]
        });
        let expected = "\
ID        STATE    ENDS                  SILENCES                          BY   REASON
2f1c9a40  active   2026-01-02T05:04:05Z  queue orders-* or carts, team=x  ana  deploy[31m
b         expired  2026-01-01T00:00:00Z  everything                        bo   r

WINDOW   STATE   CHANGES                     SILENCES  SCHEDULE
nightly  open    until 2026-01-02T06:00:00Z  alarm *   every day
once     closed  does not open again         alarm a   x to y
";
        let found = of(&answer);
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&found), squeezed(expected));
        let columns: Vec<usize> =
            found.lines().take(3).filter_map(|line| line.find("20").or(line.find("ENDS"))).collect();
        assert!(columns.iter().all(|column| *column == columns[0]), "{found}");
        assert_eq!(of(&json!({})), "no silences\n");
        assert_eq!(of(&json!({ "silences": 7, "maintenance": "x" })), "no silences\n");
    }
}
