use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn address(number: u32) -> Owner {
    Owner::Address(IpAddr::V4(number.into()))
}

/// Takes one at a moment; how long to wait, where it is refused.
fn take(limits: &RateLimits, owner: Owner, at: Duration) -> Option<Duration> {
    match limits.take(By::Address, owner, limits.address, 1, at) {
        Err(Error::TooManyRequests { wait, .. }) => Some(wait),
        Ok(()) | Err(_) => None,
    }
}

#[test]
fn as_many_as_the_rate_allows_come_at_once_and_then_in_step() {
    let limits = RateLimits::parse("address=4/s").unwrap();
    for start in [ms(0), ms(10_000)] {
        for _ in 0..4 {
            assert_eq!(take(&limits, address(1), start), None);
        }
        assert_eq!(take(&limits, address(1), start), Some(ms(250)));
        assert_eq!(take(&limits, address(2), start), None, "others have a bucket of their own");
        assert_eq!(take(&limits, address(1), start + ms(249)), Some(ms(1)), "who is refused pays nothing");
        assert_eq!(take(&limits, address(1), start + ms(250)), None);
        assert_eq!(take(&limits, address(1), start + ms(251)), Some(ms(249)));
    }
}

#[test]
fn limits_are_read_or_named() {
    let limits = RateLimits::parse("address=20/s, sender = 600/m ,role:anon=5/h,role:a=b=1/s,").unwrap();
    assert_eq!(limits.address, Some(Rate { count: 20, period: ms(1_000) }));
    assert_eq!(limits.sender, Some(Rate { count: 600, period: ms(60_000) }));
    assert_eq!(limits.roles[0], ("anon".to_owned(), Rate { count: 5, period: ms(3_600_000) }));
    assert_eq!(limits.roles[1].0, "a=b");
    for text in
        ["20/s", "address", "address=0/s", "address=-1/s", "address=1/d", "address=1", "role:=1/s", "user=1/s", "a=1/s"]
    {
        assert_eq!(RateLimits::parse(text).err(), Some(ParseError(text.to_owned())));
    }
    for twice in ["address=1/s,address=2/s", "role:a=1/s,role:a=1/s"] {
        assert!(RateLimits::parse(twice).is_err(), "{twice}");
    }
}

#[test]
fn buckets_are_bounded_and_those_in_use_are_kept() {
    let limits = RateLimits::parse("address=2/h").unwrap();
    let count = || {
        let buckets = limits.buckets.lock().unwrap();
        buckets.young.len() + buckets.old.len()
    };
    assert_eq!(take(&limits, address(0), ms(0)), None);
    assert_eq!(take(&limits, address(0), ms(0)), None);
    for number in 1..GENERATION_BUCKETS * 5 {
        let number = u32::try_from(number).unwrap();
        assert_eq!(take(&limits, address(number), ms(1)), None);
        assert!(count() <= 2 * GENERATION_BUCKETS);
        if number < 20_000 {
            assert!(take(&limits, address(0), ms(1)).is_some(), "forgotten after {number} others");
        }
    }
    // Full buckets give their place up.
    take(&limits, address(1), ms(10_000_000));
    for number in 0..GENERATION_BUCKETS {
        take(&limits, address(u32::try_from(number).unwrap()), ms(20_000_000));
    }
    assert!(count() <= 2 * GENERATION_BUCKETS);
}

#[test]
fn a_customers_network_is_one_client() {
    let of = |text: &str| customer(text.parse().unwrap()).to_string();
    assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    assert_eq!(of("192.0.2.1"), "192.0.2.1");
}

#[test]
fn senders_and_roles_have_buckets_of_their_own() {
    let identity = |role: &str, claims: &str, authenticated| Identity {
        role: role.to_owned(),
        claims: claims.to_owned(),
        authenticated,
    };
    let ann = identity("web", r#"{"sub":"ann"}"#, true);
    let ann_anew = identity("web", r#"{"sub":"ann","exp":1}"#, true);
    let ben = identity("web", r#"{"sub":"ben"}"#, true);
    let anon = identity("anon", "{}", false);
    let by = |answer: Result<(), Error>| match answer {
        Err(Error::TooManyRequests { by, .. }) => Some(by),
        Ok(()) | Err(_) => None,
    };
    let limits = RateLimits::parse("sender=1/h,role:anon=2/h").unwrap();
    assert_eq!(by(limits.admit(&ann, None, 1)), None);
    assert_eq!(by(limits.admit(&ann_anew, None, 1)), Some(By::Sender), "another token of hers");
    assert_eq!(by(limits.admit(&ben, None, 1)), None);
    assert_eq!(by(limits.admit(&anon, None, 1)), None);
    assert_eq!(by(limits.admit(&anon, None, 1)), None);
    assert_eq!(by(limits.admit(&anon, None, 1)), Some(By::Role));
    let generous = Some(Rate::parse("3/h").unwrap());
    let key = identity("ingest", "{}", true);
    assert!((0..3).all(|_| by(limits.admit(&key, generous, 1)).is_none()), "its own rate counts");
    assert_eq!(by(limits.admit(&key, generous, 1)), Some(By::Sender));
    assert!((0..100).all(|_| RateLimits::none().admit(&ann, None, 1).is_ok()));
}
