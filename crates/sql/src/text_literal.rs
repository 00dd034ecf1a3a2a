//! What stands between the quotes of a string.

/// Resolves escapes and doubled quotes.
pub(crate) fn unescape(raw: &[char], quote: char) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let c = raw[at];
        if c == quote {
            text.push(quote);
            at += 2;
        } else if c == '\\' && at + 1 < raw.len() {
            at += 1 + escape(&raw[at + 1..], &mut text);
        } else {
            text.push(c);
            at += 1;
        }
    }
    text
}

/// Resolves one escape after its backslash; returns how many characters it took.
fn escape(raw: &[char], text: &mut String) -> usize {
    if let Some(code) = octal(raw) {
        text.push(code);
        return 3;
    }
    let digits = match raw[0] {
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0
        && let Some(taken) = unicode(raw, digits, text)
    {
        return taken;
    }
    match raw[0] {
        '0' => text.push('\0'),
        'b' => text.push('\u{8}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'Z' => text.push('\u{1a}'),
        c @ ('%' | '_') => text.extend(['\\', c]),
        c => text.push(c),
    }
    1
}

fn octal(raw: &[char]) -> Option<char> {
    let digit = |i: usize, radix: u32| raw.get(i).and_then(|c| c.to_digit(radix));
    let code = digit(0, 4).filter(|_| raw[0] < '2')? * 64 + digit(1, 8)? * 8 + digit(2, 8)?;
    char::from_u32(code)
}

fn unicode(raw: &[char], digits: usize, text: &mut String) -> Option<usize> {
    let code = hexadecimal(raw.get(1..=digits)?)?;
    // Two \u escapes may make up one character beyond the first plane.
    if let (0xd800..0xdc00, Some(['\\', 'u'])) = (code, raw.get(digits + 1..digits + 3)) {
        let low = hexadecimal(raw.get(digits + 3..digits + 7)?)?;
        let both = 0x10000 + ((code - 0xd800) << 10) + low.checked_sub(0xdc00)?;
        text.push(char::from_u32(both)?);
        return Some(digits + 7);
    }
    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(digits + 1)
}

fn hexadecimal(digits: &[char]) -> Option<u32> {
    digits.iter().try_fold(0u32, |code, c| Some(code.checked_mul(16)? + c.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes() {
        let cases = [
            ("plain", "plain"),
            ("it''s", "it's"),
            (r"a\nb", "a\nb"),
            (r"50\%\_", r"50\%\_"),
            (r"\u0041\U00000042\103", "ABC"),
            (r"\ud83d\ude00", "😀"),
            (r"\q\\", r"q\"),
        ];
        for (raw, expected) in cases {
            let raw: Vec<char> = raw.chars().collect();
            assert_eq!(unescape(&raw, '\''), expected);
        }
    }
}
