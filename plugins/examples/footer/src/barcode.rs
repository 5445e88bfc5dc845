//! Code 39 (ISO/IEC 16388): nine elements to a character, bar and space in turn, three of them wide.

/// A bar code, measured in narrow elements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bars {
    /// Where each bar begins and how wide it is.
    pub(crate) black: Vec<(f32, f32)>,
    /// Width of the whole.
    pub(crate) width: f32,
}

/// How much wider than a narrow element a wide one is.
const WIDE: f32 = 2.5;

const PATTERNS: &[(char, &str)] = &[
    ('0', "nnnwwnwnn"),
    ('1', "wnnwnnnnw"),
    ('2', "nnwwnnnnw"),
    ('3', "wnwwnnnnn"),
    ('4', "nnnwwnnnw"),
    ('5', "wnnwwnnnn"),
    ('6', "nnwwwnnnn"),
    ('7', "nnnwnnwnw"),
    ('8', "wnnwnnwnn"),
    ('9', "nnwwnnwnn"),
    ('A', "wnnnnwnnw"),
    ('B', "nnwnnwnnw"),
    ('C', "wnwnnwnnn"),
    ('D', "nnnnwwnnw"),
    ('E', "wnnnwwnnn"),
    ('F', "nnwnwwnnn"),
    ('G', "nnnnnwwnw"),
    ('H', "wnnnnwwnn"),
    ('I', "nnwnnwwnn"),
    ('J', "nnnnwwwnn"),
    ('K', "wnnnnnnww"),
    ('L', "nnwnnnnww"),
    ('M', "wnwnnnnwn"),
    ('N', "nnnnwnnww"),
    ('O', "wnnnwnnwn"),
    ('P', "nnwnwnnwn"),
    ('Q', "nnnnnnwww"),
    ('R', "wnnnnnwwn"),
    ('S', "nnwnnnwwn"),
    ('T', "nnnnwnwwn"),
    ('U', "wwnnnnnnw"),
    ('V', "nwwnnnnnw"),
    ('W', "wwwnnnnnn"),
    ('X', "nwnnwnnnw"),
    ('Y', "wwnnwnnnn"),
    ('Z', "nwwnwnnnn"),
    ('-', "nwnnnnwnw"),
    ('.', "wwnnnnwnn"),
    (' ', "nwwnnnwnn"),
    ('*', "nwnnwnwnn"),
];

/// The bars of a text between start and stop signs; none when it has a character the code doesn't know.
pub(crate) fn bars(text: &str) -> Option<Bars> {
    if text.contains('*') {
        return None;
    }
    let (mut black, mut at) = (Vec::new(), 0.0);
    for letter in format!("*{text}*").chars() {
        let (_, pattern) = PATTERNS.iter().find(|(known, _)| *known == letter)?;
        for (place, element) in pattern.chars().enumerate() {
            let wide = if element == 'w' { WIDE } else { 1.0 };
            if place % 2 == 0 {
                black.push((at, wide));
            }
            at += wide;
        }
        // A narrow space between characters.
        at += 1.0;
    }
    Some(Bars {
        black,
        width: at - 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_its_own_and_has_three_wide_elements() {
        for (at, (letter, pattern)) in PATTERNS.iter().enumerate() {
            assert_eq!(pattern.len(), 9, "{letter}");
            assert_eq!(pattern.matches('w').count(), 3, "{letter}");
            assert!(
                PATTERNS
                    .iter()
                    .skip(at + 1)
                    .all(|(other, same)| other != letter && same != pattern)
            );
        }
    }

    #[test]
    fn bars_lie_side_by_side() {
        let made = bars("A1").unwrap_or_else(|| unreachable!("both are known"));
        assert_eq!(made.black.len(), 4 * 5);
        assert!(
            made.black
                .windows(2)
                .all(|two| matches!(two, [a, b] if a.0 + a.1 < b.0))
        );
        assert_eq!(bars("ä"), None);
        assert_eq!(bars("*"), None);
    }
}
