//! Generated files of `pg_hba.conf`: mostly what the server takes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn field(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let list = vec(select(words), 2..4).prop_map(|words| words.join(","));
    prop_oneof![5 => select(words).prop_map(str::to_owned), 1 => list]
}

#[rustfmt::skip]
fn rule() -> impl Strategy<Value = String> {
    /// Mostly what the server takes.
    fn one(good: Vec<&'static str>, bad: Vec<&'static str>) -> impl Strategy<Value = &'static str> {
        prop_oneof![12 => select(good), 1 => select(bad)]
    }
    let kind = one(
        vec![
            "local", "host", "host", "hostssl", "hostnossl", "hostgssenc", "\"host\"",
        ],
        vec!["hosts", "include", "host,local", "HOST"],
    );
    let databases = field(&[
            "all", "all", "sameuser", "samerole", "samegroup", "replication", "db", "\"a b\"", "@names", "/x", "db2",
            "\"all\"", "a\"b,c\"",
    ]);
    let users = field(&[
            "all", "all", "ada", "+staff", "\"+x\"", "@names", "\"a\"\"b\"", "bob", "a#c",
    ]);
    let address = one(
        vec![
            "all", "samehost", "samenet", "127.0.0.1/32", "127.0.0.0/8", "::1/128", "10.0.0.0/8", "0.0.0.0/0",
            "::/0", "192.0.2.7/32", "10.0.0.0 255.0.0.0", "10.0.0.0 255.0.255.0", "db.example", ".example",
            "127.1/32", "fe80::/10", "010.0.0.1/32", "10.0.0.0/+8", "::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "::ffff:10.0.0.1/128", "0x7f.0.0.1/8", "10.1 255.0", "127.0.0.0/7",
        ],
        vec![
            "db.example/8", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0", "10.0.0.0 ffff::", "\"all\"", "a,b", "",
            "10.0.0.0/ 8", "10.0.0.0/", "127.0.0.256/8", "1.2.3.4/-1", "@names",
        ],
    );
    let method = one(
        vec![
            "trust", "trust", "md5", "scram-sha-256", "password", "reject", "\"trust\"",
            "ldap ldapserver=x ldapprefix=\"cn=\"",
        ],
        vec![
            "peer", "ident", "cert", "gss", "pam", "bsd", "sspi", "none", "",
            "radius radiusservers=1.2.3.4 radiussecrets=s", "md5,trust", "peer map=m", "cert map=m",
        ],
    );
    let option = one(
        vec!["", "", "", "", "# c"],
        vec![
            "map=m", "clientcert=verify-full", "clientcert=verify-ca", "clientcert=1", "noise", "x=y",
            "pamservice=x", "clientname=DN", "include_realm=0", "krb_realm=X", "clientname=x",
        ],
    );
    let gap = select(vec![" ", "\t", "  ", " \\\n ", "\\\n ", " \r "]);
    (kind, databases, users, address, method, option, gap).prop_map(
        |(kind, databases, users, address, method, option, gap)| {
            let address = if kind == "local" { "" } else { address };
            format!("{kind} {databases} {users}{gap}{address} {method} {option}\n")
        },
    )
}

pub(super) fn hba() -> impl Strategy<Value = String> {
    let noise = select(vec![
        "\n",
        "# c \\\n",
        "  \n",
        "host\n",
        "local all\n",
        ",\n",
        "\"\n",
        "host all all\n",
        "\\\\\n\n",
    ]);
    let line = prop_oneof![12 => rule(), 1 => noise.prop_map(str::to_owned)];
    vec(line, 0..8).prop_map(|lines| lines.concat())
}
