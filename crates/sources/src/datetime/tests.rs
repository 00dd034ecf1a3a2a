use super::{Pattern, Zone, lenient_date, lenient_timestamp};

fn instant(text: &str) -> Option<i64> {
    Some(lenient_timestamp(text, || 0)?.instant(&Zone::Fixed(0)))
}

#[test]
fn lenient_forms() {
    for (text, expected) in [
        ("1970-01-01 00:00:01", Some(1_000_000)),
        ("1970-1-1T0:0:1.5", Some(1_500_000)),
        ("1970-01-01 01:00:00+01:00", Some(0)),
        ("1970-01-01 01:00:00 Europe/Berlin", Some(0)),
        ("1970", Some(0)),
        ("1970-01-02", Some(86_400_000_000)),
        ("1970-01-01 00:00:00.1234567", Some(123_456)),
        ("1970-13-01", None),
        ("1970-02-30", None),
        ("1970-01-01 25:00:00", None),
        ("abc", None),
        ("", None),
    ] {
        assert_eq!(instant(text), expected, "{text}");
    }
    assert_eq!(lenient_date("0001-01-01"), Some(-719_162));
    assert_eq!(lenient_date("1969-12-31 x"), Some(-1));
    assert_eq!(lenient_date("1969-12-31x"), None);
}

#[test]
fn patterns_read_and_print() {
    for (pattern, text) in [
        ("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "2024-02-29T23:59:58.123Z"),
        ("dd/MM/yyyy", "29/02/2024"),
        ("yyyyMMddHHmmss", "20240229235958"),
        ("d MMM yyyy h:mm a", "29 Feb 2024 11:59 PM"),
        ("EEEE, d MMMM yy", "Thursday, 29 February 24"),
        ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2024-02-29 23:59:58.000001"),
        ("yyyy.DDD", "2024.060"),
    ] {
        let compiled = Pattern::compile("dateFormat", pattern).expect(pattern);
        let clock = compiled.parse(text).expect(text);
        assert_eq!(compiled.format(clock.local_us, 0, "UTC"), text, "{pattern}");
    }
    assert!(Pattern::compile("dateFormat", "yyyy-[MM").is_err());
    assert!(Pattern::compile("dateFormat", "bb").is_err());
    let optional = Pattern::compile("dateFormat", "yyyy[-MM]").expect("a pattern");
    assert!(optional.parse("2024").is_some() && optional.parse("2024-05").is_some());
    assert!(optional.parse("2024-05-06").is_none());
}

#[test]
fn clocks_that_jump() {
    let berlin = Zone::parse("Europe/Berlin").expect("a zone");
    let local = |text: &str| lenient_timestamp(text, || 0).expect(text).local_us;
    let at = |text: &str| berlin.to_instant(local(text));
    assert_eq!(at("2024-03-31 02:30:00"), local("2024-03-31 01:30:00"));
    assert_eq!(at("2024-10-27 02:30:00"), local("2024-10-27 00:30:00"));
    assert_eq!(berlin.offset_at(local("2024-07-01")), 7200);
    for (text, seconds) in [("+01:30", 5400), ("GMT-8", -28_800), ("UTC+1", 3600), ("Z", 0)] {
        assert_eq!(Zone::parse(text), Some(Zone::Fixed(seconds)), "{text}");
    }
    assert_eq!(Zone::parse("Nowhere/City"), None);
}
