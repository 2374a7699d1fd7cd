use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<DatabaseAccessProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn cluster(host: &Captured) -> Value {
    facts(host)["postgresql"]["value"][0].clone()
}

#[test]
fn the_table_is_sorted() {
    assert!(PRODUCTS.is_sorted_by_key(|product| product.id));
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["products"], json!([]));
    for product in ["postgresql", "mysql", "redis", "mongodb"] {
        assert_eq!(facts[product]["outcome"], "absent", "{product}");
    }
}

const CONF: &str = "/etc/postgresql/16/main/postgresql.conf";
const HBA: &str = "/etc/postgresql/16/main/pg_hba.conf";

fn postgresql() -> Captured {
    Captured::default()
        .file(
            CONF,
            "data_directory = '/var/lib/postgresql/16/main'\nhba_file = '/etc/postgresql/16/main/pg_hba.conf'\n\
             listen_addresses = 'localhost' # c\nssl = true\narchive_command = 'secret'\ninclude_dir = 'conf.d'\n",
        )
        .file("/etc/postgresql/16/main/conf.d/a.conf", "listen_addresses = '*'\nport = 5433\n")
        .file("/var/lib/postgresql/16/main/postgresql.auto.conf", "port = '5434'\n")
        .file("/var/lib/postgresql/16/main/PG_VERSION", "16\n")
        .file(
            HBA,
            "# c\nlocal all postgres peer\nhost all,\"all\" +ada,bob \\\n 10.0.0.0 255.0.0.0 scram-sha-256\n\
             hostssl sameuser /^x 192.0.2.7/32 cert\nhost all all ::1/128 trust\nhost a all all ldap ldaptls=1 ldapbindpasswd=secret\n\
             host all all db.example md5\ninclude more.conf\n",
        )
        .file("/etc/postgresql/16/main/more.conf", "host replication @users 0.0.0.0/0 reject\nhost all all 1.2.3.4\n")
        .file("/etc/postgresql/16/main/users", "ada, bob\ncarol\n")
}

#[test]
fn clusters_and_rules() {
    let cluster = cluster(&postgresql());
    for name in ["secret", "ada", "bob", "192.0.2", "db.example"] {
        assert!(!cluster.to_string().contains(name), "{name}: {cluster:#}");
    }
    assert_eq!(cluster["version"], "16");
    assert_eq!(
        cluster["settings"]["value"],
        json!({"listen_addresses": "*", "port": "5434", "ssl": "on"})
    );
    assert_eq!(cluster["files"].as_array().unwrap().len(), 3);
    let hba = &cluster["hba"]["value"];
    assert_eq!(
        hba["refused"],
        json!(["/etc/postgresql/16/main/more.conf line 2: no mask after an address"])
    );
    let told = |rule: &Value| ["line", "connection", "reach", "network", "method"].map(|field| rule[field].clone());
    let rules: Vec<_> = hba["rules"].as_array().unwrap().iter().map(told).collect();
    let expected = json!([
        [2, "local", "socket", null, "peer"],
        [3, "host", "network", "10.0.0.0/8", "scram-sha-256"],
        [5, "hostssl", "host", null, "cert"],
        [6, "host", "loopback", "::1/128", "trust"],
        [7, "host", "all", null, "ldap"],
        [8, "host", "name", null, "md5"],
        [1, "host", "all", "0.0.0.0/0", "reject"],
    ]);
    assert_eq!(json!(rules), expected);
    let rules = &hba["rules"];
    assert_eq!(
        rules[1]["databases"],
        json!({"keywords": ["all"], "named": 1, "groups": 0, "patterns": 0})
    );
    assert_eq!(
        rules[1]["users"],
        json!({"keywords": [], "named": 1, "groups": 1, "patterns": 0})
    );
    assert_eq!(rules[2]["users"]["patterns"], 1);
    assert_eq!(rules[2]["client_certificate"], "verify-full");
    assert_eq!(rules[4]["ldap_tls"], true);
    assert_eq!(rules[6]["users"]["named"], 3);
}

#[test]
fn denied_and_malformed_clusters() {
    let denied = cluster(&postgresql().denied(HBA));
    assert_eq!(denied["settings"]["outcome"], "observed");
    assert_eq!(denied["hba"]["outcome"], "denied");
    let denied = cluster(&postgresql().denied("/var/lib/postgresql/16/main"));
    assert_eq!(denied["settings"]["outcome"], "denied");
    let malformed = cluster(&postgresql().file(CONF, "port = = 1\n"));
    assert_eq!(malformed["settings"]["outcome"], "malformed");
    assert_eq!(malformed["hba"]["outcome"], "malformed");
    let looped = cluster(&postgresql().file(CONF, "include 'postgresql.conf'\ninclude 'postgresql.conf'\n"));
    assert_eq!(looped["settings"]["outcome"], "malformed");
    let looped = cluster(&postgresql().file(HBA, "include pg_hba.conf\nlocal @pg_hba.conf all peer\n"));
    assert_ne!(looped["hba"]["outcome"], "absent");
    let denied = facts(&Captured::default().denied("/etc/postgresql"));
    assert_eq!(denied["postgresql"]["outcome"], "denied");
}

#[test]
fn option_files() {
    let host = Captured::default()
        .file("/usr/sbin/mariadbd", "")
        .file("/usr/sbin/mysqld", "")
        .file("/etc/mysql/my.cnf", "[client-server]\nport = 3307\n!includedir /etc/mysql/conf.d/\n!include rel.cnf\n")
        .file(
            "/etc/mysql/conf.d/a.cnf",
            "[mysqld]\nbind-address = 127.0.0.1 # c\nskip-networking=0\nssl_key=/k\ninit_connect='secret'\n[mysqldump]\nport=1\n",
        )
        .file("/etc/mysql/conf.d/b.cnf", "[mariadb-10.11]\nlocal-infile=1\n[mariadb]\ndisable-local-infile\n");
    let facts = facts(&host);
    assert!(!facts.to_string().contains("secret"));
    let mysql = &facts["mysql"]["value"];
    assert_eq!(mysql["server"], "mariadb");
    assert_eq!(facts["products"].as_array().unwrap().len(), 1);
    assert_eq!(
        mysql["settings"],
        json!({"bind_address": "127.0.0.1", "local_infile": "off", "port": "3307", "skip_networking": "off", "ssl_key": "set"})
    );
    assert_eq!(mysql["left_out"], json!(["rel.cnf"]));
    assert_eq!(mysql["version_groups"], json!(["mariadb-10.11"]));
    assert_eq!(mysql["persisted"]["outcome"], "absent");
}

#[test]
fn what_mysql_was_told_to_keep() {
    let kept = r#"{"Version":2,"mysql_dynamic_variables":{"local_infile":{"Value":"ON","Metadata":{"User":"ada"}},
        "init_connect":{"Value":"secret"}}}"#;
    let host = Captured::default()
        .file("/usr/sbin/mysqld", "")
        .file("/etc/my.cnf", "[mysqld]\nlocal-infile=0\n[mariadb]\nport=1\n")
        .file("/var/lib/mysql/mysqld-auto.cnf", kept);
    let mysql = facts(&host)["mysql"]["value"].clone();
    assert_eq!(mysql["settings"], json!({"local_infile": "on"}));
    assert_eq!(mysql["persisted"]["value"], json!(["local_infile"]));
    for (text, outcome) in [
        ("port=1\n", "malformed"),
        ("[mysqld\n", "malformed"),
        ("!includedir /none\n", "malformed"),
        ("[mysqld]\n", "observed"),
    ] {
        let mysql = &facts(&host.clone().file("/etc/my.cnf", text))["mysql"];
        assert_eq!(mysql["outcome"], outcome, "{text}");
    }
    let denied = facts(&host.denied("/etc/my.cnf"));
    assert_eq!(denied["mysql"]["outcome"], "denied");
}

#[test]
fn redis_and_its_users() {
    let host = Captured::default()
        .file(
            "/etc/redis/redis.conf",
            "# c\nbind 127.0.0.1 -::1\nprotected-mode YES\nrequirepass secret\nrename-command CONFIG \"\"\ninclude /etc/redis/more/*.conf\n",
        )
        .file("/etc/redis/more/a.conf", "port 0\nuser ada on >secret ~* +@all\nuser bob on nopass +@all\n")
        .file("/etc/redis/sentinel.conf", "port 26379\n")
        .file("/etc/valkey/valkey.conf", "aclfile /etc/valkey/users.acl\nrequirepass secret\n")
        .file("/etc/valkey/users.acl", "user default on nopass ~* +@all\n");
    let facts = facts(&host);
    assert!(!facts.to_string().contains("secret") && !facts.to_string().contains("ada"));
    let redis = facts["redis"]["value"].as_array().unwrap();
    assert_eq!(redis.len(), 2);
    let first = &redis[0]["settings"]["value"];
    assert_eq!(
        first["settings"],
        json!({"bind": "127.0.0.1 -::1", "port": "0", "protected-mode": "yes"})
    );
    assert_eq!(first["requirepass"], true);
    assert_eq!(first["renamed_commands"], json!(["CONFIG"]));
    let users = |one: &Value| {
        let users = &one["settings"]["value"]["users"]["value"];
        json!([
            users["count"],
            users["without_password"],
            users["default_without_password"]
        ])
    };
    assert_eq!(users(&redis[0]), json!([3, 1, false]));
    assert_eq!(users(&redis[1]), json!([1, 1, true]));
    let denied = host
        .denied("/etc/valkey/users.acl")
        .file("/etc/redis/redis.conf", "bind \"x\n");
    let facts = self::facts(&denied);
    assert_eq!(facts["redis"]["value"][0]["settings"]["outcome"], "malformed");
    assert_eq!(
        facts["redis"]["value"][1]["settings"]["value"]["users"]["outcome"],
        "denied"
    );
}

#[test]
fn mongodb_and_its_unit() {
    let host = Captured::default()
        .file("/usr/bin/mongod", "")
        .file(
            "/etc/mongod.conf",
            "net:\n  port: 27017\n  bindIp: 127.0.0.1\n  tls:\n    mode: requireTLS\n    certificateKeyFilePassword: secret\n\
             security:\n  authorization: enabled\n  keyFile: /etc/key\nsystemLog.destination: file\nauditLog:\n  destination:\n    __exec: x\n",
        )
        .file(
            "/usr/lib/systemd/system/mongod.service",
            "[Service]\nExecStart=/usr/bin/mongod --config=/etc/mongod.conf --auth\n",
        );
    let facts = facts(&host);
    assert!(!facts.to_string().contains("secret"));
    let mongodb = &facts["mongodb"]["value"];
    let expected = json!({"net.bindIp": "127.0.0.1", "net.port": "27017", "net.tls.mode": "requireTLS",
        "security.authorization": "enabled", "systemLog.destination": "file"});
    assert_eq!(mongodb["settings"], expected);
    assert_eq!(mongodb["key_file"], true);
    assert_eq!(mongodb["fetched"], json!(["auditLog.destination"]));
    assert_eq!(mongodb["options"]["value"], json!(["auth", "config"]));
    for (text, outcome) in [("net: *x\n", "malformed"), ("- a\n", "malformed"), ("", "observed")] {
        let mongodb = &self::facts(&host.clone().file("/etc/mongod.conf", text))["mongodb"];
        assert_eq!(mongodb["outcome"], outcome, "{text}");
    }
    assert_eq!(
        self::facts(&host.denied("/etc/mongod.conf"))["mongodb"]["outcome"],
        "denied"
    );
}

proptest! {
    #[test]
    fn any_bytes_give_facts(
        bytes: Vec<u8>,
        conf in "(port|ssl|hba_file|data_directory|include|include_dir|=|'|a|/| |\n|on|\\[mysqld\\]|!|user|>|#){0,30}",
        hba in "(local|host|hostssl|all|@|a|b|\"|,| |\n|\\\\\n|1\\.2\\.3\\.4|/|8|::1|trust|ldap|=|include|#){0,40}",
    ) {
        for (conf, hba) in [(bytes.as_slice(), bytes.as_slice()), (conf.as_bytes(), hba.as_bytes())] {
            let host = postgresql()
                .file(CONF, conf)
                .file(HBA, hba)
                .file("/etc/postgresql/16/main/a", hba)
                .file("/etc/postgresql/15/main/postgresql.conf", "")
                .file("/etc/my.cnf", conf)
                .file("/etc/redis.conf", conf)
                .file("/etc/mongod.conf", hba);
            facts(&host);
        }
    }
}
