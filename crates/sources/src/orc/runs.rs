//! Numbers and flags as ORC's runs: equal or evenly spaced values shortly, others one by one.

/// Values that a run has at least.
const RUN_MIN: usize = 3;
/// Values that a run has at most.
const RUN_MAX: usize = 130;
/// Values that stand one by one under one header at most.
const LITERALS_MAX: usize = 128;

/// Bytes: runs of equal ones.
pub(super) fn of_bytes(values: &[u8]) -> Vec<u8> {
    let run_at = |at: usize| values[at..].iter().take(RUN_MAX).take_while(|value| **value == values[at]).count();
    let mut out = Vec::with_capacity(values.len() / 2);
    let mut at = 0;
    while at < values.len() {
        let run = run_at(at);
        if run >= RUN_MIN {
            out.extend([(run - RUN_MIN) as u8, values[at]]);
            at += run;
            continue;
        }
        let end = literals_end(at, values.len(), |at| run_at(at) >= RUN_MIN);
        out.push(literals_header(end - at));
        out.extend_from_slice(&values[at..end]);
        at = end;
    }
    out
}

/// Flags: eight to a byte, the first highest.
pub(super) fn of_flags(flags: &[bool]) -> Vec<u8> {
    let byte = |flags: &[bool]| flags.iter().enumerate().fold(0u8, |byte, (i, flag)| byte | u8::from(*flag) << (7 - i));
    of_bytes(&flags.chunks(8).map(byte).collect::<Vec<_>>())
}

/// Signed numbers: runs with a step of at most a byte.
pub(super) fn of_signed(values: &[i64]) -> Vec<u8> {
    of_numbers(values, |value, out| varint(zigzag(i128::from(value)), out))
}

/// Numbers that are not negative, in the same form.
pub(super) fn of_unsigned(values: &[i64]) -> Vec<u8> {
    of_numbers(values, |value, out| varint(u128::from(value.cast_unsigned()), out))
}

fn of_numbers(values: &[i64], write: fn(i64, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len() * 2);
    let mut at = 0;
    while at < values.len() {
        if let Some((step, run)) = run_of_numbers(&values[at..]) {
            out.extend([(run - RUN_MIN) as u8, step.cast_unsigned()]);
            write(values[at], &mut out);
            at += run;
            continue;
        }
        let end = literals_end(at, values.len(), |at| run_of_numbers(&values[at..]).is_some());
        out.push(literals_header(end - at));
        values[at..end].iter().for_each(|value| write(*value, &mut out));
        at = end;
    }
    out
}

/// The step and length of the run that values begin with.
fn run_of_numbers(values: &[i64]) -> Option<(i8, usize)> {
    let [first, second, ..] = values else { return None };
    let step = i8::try_from(second.checked_sub(*first)?).ok()?;
    let next = |pair: &&[i64]| pair[1].checked_sub(pair[0]) == Some(i64::from(step));
    let length = 1 + values.windows(2).take(RUN_MAX - 1).take_while(next).count();
    (length >= RUN_MIN).then_some((step, length))
}

/// Where values that stand one by one end: at the next run.
fn literals_end(at: usize, count: usize, is_run: impl Fn(usize) -> bool) -> usize {
    let last = (at + LITERALS_MAX).min(count);
    (at + 1..last).find(|next| is_run(*next)).unwrap_or(last)
}

/// How many stand one by one, as a negative number.
fn literals_header(count: usize) -> u8 {
    (count as u8).wrapping_neg()
}

/// A number so that small ones of either sign are short.
pub(super) fn zigzag(value: i128) -> u128 {
    (value << 1 ^ value >> 127).cast_unsigned()
}

/// Seven bits to a byte, the lowest first.
pub(super) fn varint(mut value: u128, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_those_of_the_specification() {
        assert_eq!(of_bytes(&[0; 100]), [0x61, 0x00]);
        assert_eq!(of_bytes(&[0x44, 0x45]), [0xfe, 0x44, 0x45]);
        assert_eq!(of_flags(&[true, false, false, false, false, false, false, false]), [0xff, 0x80]);
        assert_eq!(of_unsigned(&[7; 100]), [0x61, 0x00, 0x07]);
        assert_eq!(of_unsigned(&(1..=100).rev().collect::<Vec<_>>()), [0x61, 0xff, 0x64]);
        assert_eq!(of_unsigned(&[2, 3, 6, 7, 11]), [0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b]);
        assert_eq!(of_signed(&[-1]), [0xff, 0x01]);
    }

    #[test]
    fn far_values_make_no_run() {
        assert_eq!(run_of_numbers(&[i64::MIN, i64::MAX, 0]), None);
        assert_eq!(run_of_numbers(&[0, 200, 400]), None);
        assert_eq!(run_of_numbers(&[0, -128, -256, 5]), Some((-128, 3)));
        assert_eq!(of_bytes(&[1; 260]).len(), 4);
    }

    #[test]
    fn wide_numbers() {
        let mut out = Vec::new();
        varint(zigzag(-150), &mut out);
        assert_eq!(out, [0xab, 0x02]);
        assert_eq!(zigzag(i128::MIN), u128::MAX);
    }
}
