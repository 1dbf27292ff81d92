//! Decimals of any size, on both stores.

use super::requests::Case;
use super::{Pair, assert_equal};

const READS: &[&str] = &[
    "/payments?order=id",
    "/payments?select=id,amount&order=amount,id",
    "/payments?select=id,amount&order=amount.desc.nullslast,id.desc",
    "/payments?select=id,fee&order=fee.desc,id",
    "/payments?select=id,code&order=code.nullsfirst",
    "/payments?select=id&amount=eq.2.5&order=id",
    "/payments?select=id&amount=eq.2.500&order=id",
    "/payments?select=id&amount=neq.2.5&order=id",
    "/payments?select=id&amount=gt.9&order=id",
    "/payments?select=id&amount=gte.123456789012345678901234567890.1&order=id",
    "/payments?select=id&amount=lt.-0.05&order=id",
    "/payments?select=id&amount=in.(2.5,10.0,123456789012345678901234567890)&order=id",
    "/payments?select=id&amount=not.in.(2.5,10.0)&order=id",
    "/payments?select=id&amount=gt(any).{9,1e29}&order=id",
    "/payments?select=id&amount=eq.NaN&order=id",
    "/payments?select=id&amount=lt.Infinity&order=id",
    "/payments?select=id&amount=isdistinct.2.50&order=id",
    "/payments?select=id&amount=is.null&order=id",
    "/payments?select=id&amount=eq.x",
    "/payments?select=id&fee=eq.12345678901234567890.0123456789",
    "/payments?select=id&fee=eq.12345678901234567890.0123456788",
    "/payments?select=id&fee=lt.0&order=id",
    "/payments?select=id&code=eq.99999999999999999.99",
    "/payments?select=id&code=gt.99999999999999999.99&order=id",
    "/payments?select=id&or=(amount.gt.100,fee.eq.2,rate.eq.9.99)&order=id",
    "/payments?select=id&account=eq.123456789012345678901234&order=id",
    "/payments?select=id&account=eq.123456789012345678901235&order=id",
    "/payments?select=id,accounts(number,owner)&order=id",
    "/payments?select=id,...accounts(owner,limit)&order=id",
    "/payments?select=id&accounts.owner=eq.ann&accounts=not.is.null&order=id",
    "/payments?select=id,accounts!inner(owner)&accounts.limit=gt.5&order=accounts(limit).desc,id",
    "/accounts?select=number,limit,payments(amount,fee)&order=number&payments.order=amount.desc,id",
    "/accounts?select=number,payments(amount.sum())&order=number.desc&number=lt.100000",
    "/accounts?select=owner,...payments(amount)&order=owner&payments.order=amount,id",
    "/accounts?number=eq.123456789012345678901234",
    "/accounts?select=owner,owed,has_limit&order=owed.desc,owner",
    "/accounts?select=owner&owed=gt.9.5",
    "/accounts?select=owner&owed=eq.10.5",
    "/payments?select=amount,count()&order=amount",
    "/payments?select=rate,amount.max()&order=rate",
    "/payments?select=amount.sum(),amount.avg(),amount.min(),amount.max(),amount.count()&amount=neq.NaN",
    "/payments?select=amount.sum(),amount.avg(),amount.max()",
    "/payments?select=fee.sum(),fee.avg(),fee.min(),fee.max()",
    "/payments?select=rate.sum(),rate.avg(),rate.min(),rate.max()",
    "/payments?select=code.sum(),code.avg()",
    "/payments?select=account,amount.sum()&amount=neq.NaN&order=account",
    "/payments?select=fee.sum()::text,amount.max()::text,fee.avg()::int&id=lt.2",
    "/payments?select=amount::text,fee::text,rate::text,code::text&order=id",
    "/payments?select=amount::numeric,rate::numeric,quantity::numeric&order=id",
    "/payments?select=amount::int&id=in.(1,2,5,8)&order=id",
    "/payments?select=amount::int&id=eq.3",
    "/payments?select=amount::float8,fee::float4&id=neq.7&order=id",
    "/payments?select=rate::numeric,count()&order=rate",
    "/payments?select=quantity::numeric.max(),amount::text.min()&id=lt.3",
    "/payments?select=amount&order=amount&-distinct=",
    "/totals?order=amount,fee",
    "/totals?select=amount&amount=gt.2.5&order=amount",
    "/totals?select=account,fee.sum()&order=account",
    "/by_account?order=account",
    "/by_account?account=eq.123456789012345678901235",
    "/lines?select=id,rate&rate=gt.1.5&order=rate,id",
    "/changed?order=id",
    "/changed?select=id&wide=eq.12345678901234567890.5",
    "/changed?select=id,whole&order=words.desc",
    "/changed?narrow=eq.1.5&select=narrow,more",
    "/rpc/above?floor_of=2.5&select=id,amount&order=amount.desc,id",
    "/rpc/above?floor_of=9.5&amount=lt.11&select=id,amount",
    "/rpc/amounts?amount=gt.9&order=amount,id",
    "/rpc/amounts?most=5&select=amount&amount=in.(2.50,-0.1)&order=amount",
    "/rpc/amounts?select=amount.sum(),amount.max()&most=6",
    "/rpc/amount_of?payment=1",
    "/rpc/amount_of?payment=4",
    "/rpc/amount_of?payment=7",
    "/rpc/amount_of?payment=99",
    "/rpc/is_large?amount=3.00",
    "/rpc/is_large?amount=12",
];

const WRITES: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/payments?select=amount,fee,rate,doubled",
        r#"{"id":20,"amount":1.10,"fee":1.10,"rate":1.10,"quantity":7}"#,
    ),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":98765432109876543210.987654321098765432100}"#),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":"98765432109876543210.987654321"}"#),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":1e25}"#),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":1.50E+2}"#),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":-0.0}"#),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":"NaN"}"#),
    ("POST", "/payments?select=amount", r#"{"id":20,"amount":"-Infinity"}"#),
    ("POST", "/payments", r#"{"id":20,"amount":1e30}"#),
    ("POST", "/payments", r#"{"id":20,"amount":"1,5"}"#),
    ("POST", "/payments?select=fee", r#"{"id":20,"fee":0.12345678905}"#),
    ("POST", "/payments", r#"{"id":20,"fee":123456789012345678901}"#),
    ("POST", "/payments", r#"{"id":20,"fee":"Infinity"}"#),
    ("POST", "/payments", r#"{"id":20,"code":2.500}"#),
    ("POST", "/payments", r#"{"id":20,"account":123456789012345678901236}"#),
    ("POST", "/payments?select=account,accounts(owner)", r#"{"id":20,"account":123456789012345678901235}"#),
    ("POST", "/payments?select=*", r#"[{"id":21,"amount":3},{"id":22,"amount":3.00}]"#),
    ("POST", "/payments?on_conflict=code&select=id,code,amount", r#"{"id":20,"code":2.50,"amount":7.70}"#),
    ("POST", "/accounts?on_conflict=number&select=*", r#"{"number":123456789012345678901234,"owner":"eve"}"#),
    ("POST", "/accounts?select=*", r#"{"number":8,"owner":"dan"}"#),
    ("POST", "/accounts?columns=number,owner&select=*", r#"{"number":8.0,"owner":"dan","limit":3}"#),
    ("POST", "/accounts", r#"{"number":8,"owner":"dan","limit":-0.50}"#),
    ("POST", "/accounts", r#"{"number":1234567890123456789012345,"owner":"dan"}"#),
    ("POST", "/payments?select=id,amount", r#"[{"id":1,"amount":1},{"id":1,"amount":2}]"#),
    ("POST", "/payments?select=id,amount", r#"[{"id":40,"amount":1},{"id":41},{"id":40,"amount":2}]"#),
    ("POST", "/payments?on_conflict=code&select=code", r#"[{"id":40,"code":3.5},{"id":41,"code":3.50}]"#),
    ("POST", "/payments?on_conflict=code&select=id,code", r#"[{"id":42,"code":null},{"id":43,"code":null}]"#),
    ("POST", "/accounts?select=number", r#"[{"number":8,"owner":"a"},{"number":8.0,"owner":"b"}]"#),
    ("PUT", "/accounts?number=eq.8&select=*", r#"{"number":8.0,"owner":"eve","limit":1.0}"#),
    ("PATCH", "/payments?amount=eq.2.5&select=id,amount&order=id", r#"{"amount":2.5000}"#),
    ("PATCH", "/payments?id=eq.3&select=id,code", r#"{"code":99999999999999999.99}"#),
    ("PATCH", "/payments?amount=gt.100000&select=id,fee&order=amount", r#"{"fee":null}"#),
    (
        "PUT",
        "/accounts?number=eq.123456789012345678901234&select=*",
        r#"{"number":123456789012345678901234,"owner":"eve","limit":1.0}"#,
    ),
    ("DELETE", "/payments?amount=gte.123456789012345678901234567890&amount=neq.NaN&select=id&order=id", ""),
    ("PATCH", "/payments?id=gt.0&select=id,amount,code&order=amount.desc,code", r#"{"quantity":1}"#),
    ("DELETE", "/accounts?number=eq.123456789012345678901235&select=number", ""),
    ("POST", "/rpc/add_payment?select=id,amount", r#"{"id":30,"amount":2.5}"#),
    ("POST", "/rpc/raise_fee?select=id,fee", r#"{"payment":1}"#),
    ("POST", "/rpc/raise_fee?select=id,fee", r#"{"payment":3}"#),
];

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for read in READS {
        cases.push(Case::get(*read));
        cases.push(Case::get(*read).with("Accept", "text/csv").prefer("count=exact"));
    }
    for (method, path, body) in WRITES {
        for resolution in ["", "resolution=merge-duplicates, ", "resolution=ignore-duplicates, "] {
            if resolution.is_empty() || *method == "POST" {
                let given = format!("{resolution}return=representation, tx=rollback");
                cases.push(Case::write(method, *path, *body).prefer(&given));
            }
        }
        cases.push(Case::write(method, *path, *body).prefer("return=headers-only, tx=rollback"));
    }
    cases
}

#[test]
fn decimals_of_any_size_are_the_same_on_both_stores() {
    let Some(pair) = Pair::start("numeric", include_str!("numeric.sql")) else { return };
    assert_equal("numeric", &pair, &cases());
}
