//! Names that are near to one that does not exist: for whoever mistyped it, or whose queue was renamed.

use std::collections::BTreeSet;

/// How many names are offered.
const OFFERED: usize = 5;
/// Longer words are no typing mistake, and would cost too much to compare.
const LONGEST: usize = 128;

/// Those of `known` that are nearest to `word`, the nearest first: one contains the other, or at most a third of the
/// letters differ.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return Vec::new();
    }
    let word = word.to_lowercase();
    let mut near: BTreeSet<(usize, &str)> = BTreeSet::new();
    for candidate in known {
        near.extend(distance(&word, &candidate.to_lowercase()).map(|distance| (distance, candidate)));
        if near.len() > OFFERED {
            near.pop_last();
        }
    }
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

fn distance(word: &str, candidate: &str) -> Option<usize> {
    let longer = word.len().max(candidate.len());
    if candidate.contains(word) || (candidate.len() >= 3 && word.contains(candidate)) {
        return Some(longer.abs_diff(word.len().min(candidate.len())).min(longer / 3));
    }
    let too_far = word.len().abs_diff(candidate.len()) > longer / 3;
    let distance = if too_far { return None } else { strsim::osa_distance(word, candidate) };
    (distance <= (longer / 3).max(1)).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_the_far_ones_not_at_all() {
        let known = ["orders", "orders-dlq", "order-events", "payments", "invoices"];
        assert_eq!(near("ordres", known), ["orders"]);
        assert_eq!(near("order", known), ["orders", "orders-dlq", "order-events"]);
        assert_eq!(near("PAYMENT", known), ["payments"]);
        assert_eq!(near("zzz", known), [""; 0]);
        assert_eq!(near("", known), [""; 0]);
        assert_eq!(near(&"orders".repeat(99), known), [""; 0]);
        let many: Vec<String> = (0..99).map(|n| format!("orders-{n}")).collect();
        assert_eq!(near("orders", many.iter().map(String::as_str)).len(), OFFERED);
    }
}
