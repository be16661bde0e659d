//! The known name that somebody probably meant.

/// The candidate nearest to `word`, if one is near enough to be meant: compared without case, `_`, `-` and blanks.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = folded(word);
    let most = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn folded(word: &str) -> Vec<char> {
    let letters = word.chars().take(64).filter(|c| !matches!(c, '_' | '-' | '*') && !c.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions and replacements between two words (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_none() {
        let names = ["listen", "public_url", "log_level", "mail"];
        assert_eq!(nearest("lisen", names), Some("listen"));
        assert_eq!(nearest("Public-URL", names), Some("public_url"));
        assert_eq!(nearest("loglevle", names), Some("log_level"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }
}
