//! "Did you mean": the known word that is closest to a mistyped one.

/// Words longer than this are no typing mistake of ours.
const LONGEST: usize = 64;

/// How many known words are looked at: all but in a file that is hostile.
const MOST: usize = 200;

/// The word of `known` that is closest to `word`, if any is close: another case or `-` for `_`, one mistake in three
/// characters, or the beginning of it.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let word = folded(word);
    known
        .into_iter()
        .take(MOST)
        .map(|candidate| (distance(&word, &folded(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (word.len().max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint that follows from [`closest`], else the list of what is known when that is short enough to read.
pub fn hint(word: &str, known: &[&str]) -> Option<String> {
    match closest(word, known.iter().copied()) {
        Some(candidate) => Some(format!("did you mean `{candidate}`?")),
        None if known.is_empty() || known.len() > MOST => None,
        None => Some(format!("known here: {}", listed(known))),
    }
}

/// `a`, `b`, `c`.
pub fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn folded(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

fn distance(word: &str, candidate: &str) -> usize {
    if word.len() >= 3 && candidate.starts_with(word) {
        return 1;
    }
    strsim::osa_distance(word, candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["interval", "include", "exclude", "NumberOfMessagesSent", "evaluation_periods"];
        for (word, wanted) in [
            ("intervall", Some("interval")),
            ("Include", Some("include")),
            ("includes", Some("include")),
            ("evaluationPeriods", Some("evaluation_periods")),
            ("evaluation", Some("evaluation_periods")),
            ("numberofmessagessent", Some("NumberOfMessagesSent")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(closest(word, known), wanted, "{word}");
        }
        assert_eq!(closest(&"interval".repeat(20), known), None);
    }
}
