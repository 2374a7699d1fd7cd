use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<LoginPolicyProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].to_bytes().expect("a document");
    documents[0].facts.clone().unwrap()
}

fn debian() -> Captured {
    Captured::default()
        .file("/etc/login.defs", "# c\nPASS_MAX_DAYS\t99999\nUMASK\t\t022\nUID_MIN 1000\nENCRYPT_METHOD yescrypt\nUSERGROUPS_ENAB yes\nFAIL_DELAY 3\n")
        .file("/etc/login.defs.d/x.defs", "PASS_MAX_DAYS 1\n")
        .file("/etc/default/useradd", "# INACTIVE=-1\nSHELL=/bin/sh\nINACTIVE=30\nEXPIRE=\n")
        .file("/etc/os-release", "ID=debian\nNAME=\"Debian GNU/Linux\"\n")
        .file("/etc/issue", "Debian GNU/Linux 12 \\n \\l\n\n")
        .file("/etc/motd", " \n")
        .file("/etc/profile", "umask 027\n")
        .file("/etc/profile.d/tmout.sh", "readonly TMOUT=900\nexport TMOUT\n")
        .file("/etc/systemd/logind.conf", "[Login]\n#IdleAction=ignore\nIdleAction=lock\nIdleActionSec=15min\n")
        .file("/usr/lib/systemd/system/ctrl-alt-del.target", "[Unit]\n")
        .link("/etc/systemd/system/ctrl-alt-del.target", "/dev/null")
        .file("/usr/bin/vlock", "ELF")
}

#[test]
fn debian_with_a_policy() {
    let facts = facts(&debian());
    let defs = &facts["login_defs"]["value"];
    assert_eq!(
        (&defs["pass_max_days"], &defs["umask"], &defs["usergroups"]),
        (&json!(99999), &json!("0022"), &json!(true))
    );
    assert_eq!(defs["pass_min_days"], Value::Null);
    assert_eq!(
        facts["useradd"]["value"],
        json!({"inactive_days": 30, "expires": false, "shell": "/bin/sh"})
    );
    let shells = &facts["shells"]["value"];
    assert_eq!(
        (
            &shells["tmout_seconds"],
            &shells["tmout_readonly"],
            &shells["tmout_exported"]
        ),
        (&json!(900), &json!(true), &json!(true))
    );
    assert_eq!(shells["last_umask"], "0027");
    let issue = &facts["issue"]["value"];
    assert_eq!(
        (&issue["escapes"], &issue["names_distribution"]),
        (&json!(["l", "n"]), &json!(true))
    );
    assert_eq!(facts["motd"]["value"]["empty"], true);
    assert_eq!(facts["issue_net"]["outcome"], "absent");
    let logind = &facts["logind"]["value"];
    assert_eq!(
        (&logind["idle_action"], &logind["idle_action_seconds"]),
        (&json!("lock"), &json!(900))
    );
    assert_eq!(facts["console"]["value"]["ctrl_alt_del"]["at_boot"], "masked");
    assert_eq!(facts["console"]["value"]["lock_programs"], json!(["vlock"]));
    assert_eq!(
        (&facts["securetty"]["outcome"], &facts["gnome"]["outcome"]),
        (&json!("absent"), &json!("absent"))
    );
}

#[test]
fn vendors_with_drop_ins() {
    let host = Captured::default()
        .file("/usr/etc/login.defs", "PASS_MAX_DAYS 99999\nUMASK 022\n")
        .file("/etc/login.defs.d/70-own.defs", "PASS_MAX_DAYS 365\n")
        .file("/usr/etc/login.defs.d/70-own.defs", "PASS_MAX_DAYS 1\n");
    let defs = facts(&host)["login_defs"]["value"].clone();
    assert_eq!((&defs["pass_max_days"], &defs["umask"]), (&json!(365), &json!("0022")));
}

#[test]
fn locks_of_gnome_and_kde() {
    let host = Captured::default()
        .file("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\nsystem-db:site\n")
        .file("/etc/dconf/db/local", "GVariant")
        .file("/etc/dconf/db/local.d/00", "[org/gnome/desktop/session]\nidle-delay=uint32 900\n")
        .file("/etc/dconf/db/local.d/10", "# c\n[org/gnome/desktop/session]\nidle-delay=uint32 300\n[org/gnome/desktop/screensaver]\nlock-enabled=true\n")
        .file("/etc/dconf/db/local.d/locks/a", "# c\n/org/gnome/desktop/session/idle-delay\n")
        .file("/etc/dconf/db/site.d/00", "[org/gnome/desktop/screensaver]\nlock-enabled=false\nlock-delay=uint32 5\n")
        .file("/etc/dconf/db/site.d/locks/a", "/org/gnome/desktop/screensaver/lock-enabled\n")
        .file("/etc/xdg/kscreenlockerrc", "[Daemon][$i]\nAutolock=true\nTimeout=5\n[Other]\nTimeout=9\n");
    let facts = facts(&host);
    let gnome = &facts["gnome"]["value"];
    assert_eq!(gnome["idle_delay"], json!({"value": 300, "locked": true}));
    assert_eq!(gnome["lock_enabled"], json!({"value": false, "locked": true}));
    assert_eq!(gnome["lock_delay"], json!({"value": 5, "locked": false}));
    assert_eq!(
        gnome["databases"][1],
        json!({"name": "site", "compiled": false, "stale": false})
    );
    let kde = json!({"autolock": true, "autolock_locked": true, "timeout_minutes": 5, "timeout_locked": true});
    assert_eq!(facts["kde"]["value"], kde);
}

#[test]
fn denied_and_malformed_are_said() {
    let host = debian()
        .file("/etc/login.defs", "PASS_MAX_DAYS many\n")
        .file("/etc/default/useradd", "INACTIVE=x\n")
        .denied("/etc/issue")
        .denied("/etc/profile.d/tmout.sh")
        .file("/etc/motd", vec![b'x'; 100_000]);
    let facts = facts(&host);
    let outcomes = ["login_defs", "useradd", "issue", "shells", "motd"].map(|part| facts[part]["outcome"].clone());
    assert_eq!(
        outcomes[..4],
        ["malformed", "malformed", "denied", "denied"].map(Value::from)
    );
    assert_ne!(outcomes[4], "observed");
    let nothing = super::tests::facts(&Captured::default());
    assert_eq!(nothing["login_defs"]["outcome"], "absent");
}

proptest! {
    #[test]
    fn any_files_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let paths = ["/etc/login.defs", "/etc/default/useradd", "/etc/issue", "/etc/profile", "/etc/xdg/kscreenlockerrc",
            "/etc/dconf/db/local.d/00", "/etc/dconf/db/local.d/locks/x", "/etc/securetty", "/etc/systemd/logind.conf"];
        let host = paths.iter().fold(Captured::default(), |host, path| host.file(path, &bytes));
        facts(&host.file("/etc/dconf/profile/user", "system-db:local\n"));
    }
}

#[test]
fn logins_without_a_password() {
    let found = |host: &Captured| {
        let logins = facts(host)["automatic_logins"]["value"].as_array().unwrap().clone();
        let short =
            |login: &Value| format!("{} {} {}", login["program"], login["place"], login["kind"]).replace('"', "");
        logins.iter().map(short).collect::<Vec<_>>()
    };
    let unit = "/usr/lib/systemd/system";
    let none = Captured::default()
        .file(
            "/etc/gdm3/daemon.conf",
            "# GDM\n[daemon]\n#AutomaticLogin = user1\nAutomaticLoginEnable=false\nAutomaticLogin=ada\nTimedLoginEnable = true\n",
        )
        .file("/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user=\nallow-guest=false\n[XDMCPServer]\n")
        .file("/etc/lightdm/lightdm.conf.d/10-own.conf", "[Seat:*]\nautologin-user=ada\n")
        .file("/etc/sddm.conf", "[Autologin]\nRelogin=false\nSession=\nUser=\n")
        .file("/etc/sysconfig/displaymanager", "DISPLAYMANAGER_AUTOLOGIN=\"\"\n")
        .file(&format!("{unit}/getty@.service"), "[Service]\nExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear - $TERM\n");
    assert_eq!(found(&none), [""; 0]);
    let all = none
        .file(
            "/etc/gdm/custom.conf",
            "[daemon]\nAutomaticLoginEnable=True\nAutomaticLogin=ada\nTimedLoginEnable=true\nTimedLogin=bob\n",
        )
        .file(
            "/etc/lightdm/lightdm.conf",
            "[SeatDefaults]\nautologin-guest=true\n[Seat:*]\nallow-guest=true\n",
        )
        .file("/etc/sddm.conf.d/kde_settings.conf", "[Autologin]\nUser=ada\n")
        .file("/etc/sddm.conf", "[Theme]\nCurrent=x\n")
        .file("/etc/sysconfig/displaymanager", "DISPLAYMANAGER_AUTOLOGIN=\"ada\"\n")
        .file(
            "/etc/systemd/system/getty@tty1.service.d/autologin.conf",
            "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin ada --noclear %I $TERM\n",
        )
        .link(
            "/etc/systemd/system/getty.target.wants/getty@tty1.service",
            "/usr/lib/systemd/system/getty@.service",
        )
        .file(&format!("{unit}/getty.target"), "[Unit]\n")
        .file(&format!("{unit}/default.target"), "[Unit]\nWants=getty.target\n")
        .file(
            "/etc/systemd/system/serial-getty@.service",
            "[Service]\nExecStart=-/sbin/agetty -a ada -L %I\n",
        );
    assert_eq!(
        found(&all),
        [
            "displaymanager /etc/sysconfig/displaymanager account",
            "gdm /etc/gdm/custom.conf account",
            "gdm /etc/gdm/custom.conf account_after_delay",
            "getty getty@tty1.service account",
            "getty serial-getty@.service account",
            "lightdm /etc/lightdm/lightdm.conf guest",
            "lightdm /etc/lightdm/lightdm.conf guest_offered",
            "lightdm /etc/lightdm/lightdm.conf.d/10-own.conf account",
            "sddm /etc/sddm.conf.d/kde_settings.conf account",
        ]
    );
    let text = facts(&all).to_string();
    assert!(!text.contains("ada") && !text.contains("bob"), "{text}");
    let outcome = |host: &Captured| facts(host)["automatic_logins"]["outcome"].clone();
    assert_eq!(outcome(&Captured::default().denied("/etc/gdm3/daemon.conf")), "denied");
    let broken = Captured::default().file("/etc/sddm.conf", "[Autologin\n");
    assert_eq!(outcome(&broken), "malformed");
}

#[test]
fn shells_for_repairs() {
    let unit = |text: &str| {
        let host = Captured::default().file("/usr/lib/systemd/system/rescue.service", text);
        facts(&host)["console"]["value"]["rescue"][0].clone()
    };
    let sulogin = "[Service]\nEnvironment=HOME=/root\nExecStart=-/lib/systemd/systemd-sulogin-shell rescue\n";
    let told = |asks: bool, open: bool| json!({"unit": "rescue.service", "asks_for_password": asks, "opens_if_root_is_locked": open});
    assert_eq!(unit(sulogin), told(true, false));
    assert_eq!(
        unit(&format!("{sulogin}Environment=SYSTEMD_SULOGIN_FORCE=1\n")),
        told(true, true)
    );
    assert_eq!(
        unit(&format!("{sulogin}Environment=SYSTEMD_SULOGIN_FORCE=0\n")),
        told(true, false)
    );
    assert_eq!(unit("[Service]\nExecStart=/sbin/sulogin -e\n"), told(true, true));
    assert_eq!(unit("[Service]\nExecStart=-/bin/bash\n"), told(false, false));
    let red_hat = "[Service]\nExecStart=-/bin/sh -c \"/usr/sbin/sulogin; /usr/bin/systemctl default\"\n";
    assert_eq!(unit(red_hat), told(true, false));
}

#[test]
fn logins_of_other_machines_and_limits() {
    let host = Captured::default()
        .file("/etc/gdm3/daemon.conf", "[xdmcp]\nEnable=true\n")
        .file("/etc/gdm/custom.conf", "[xdmcp]\nEnable=false\n")
        .file("/etc/lightdm/lightdm.conf", "[XDMCPServer]\nenabled=false\n")
        .file(
            "/usr/share/lightdm/lightdm.conf.d/1.conf",
            "[XDMCPServer]\nenabled=true\n",
        )
        .file(
            "/etc/security/limits.conf",
            "* hard maxlogins 10\nanna - maxlogins 1\n* - nofile 9\n% - maxsyslogins many\n",
        );
    let facts = facts(&host);
    assert_eq!(facts["xdmcp"]["value"], json!(["/etc/gdm3/daemon.conf"]));
    assert_eq!(
        facts["login_limits"]["value"],
        json!([
            {"item": "maxlogins", "kind": "hard", "number": 10},
            {"item": "maxsyslogins", "kind": "-"},
        ])
    );
    let denied = self::facts(&host.denied("/etc/security/limits.conf"));
    assert_eq!(denied["login_limits"]["outcome"], "denied");
}

#[test]
fn the_greeter_of_debian() {
    let host = Captured::default()
        .file(
            "/usr/share/dconf/profile/gdm",
            "user-db:user\nfile-db:/var/lib/gdm3/greeter-dconf-defaults\n",
        )
        .file(
            "/usr/share/gdm/dconf/00-upstream-settings",
            "[org/gnome/login-screen]\nbanner-message-enable=false\n",
        )
        .link(
            "/usr/share/gdm/dconf/90-debian-settings",
            "/etc/gdm3/greeter.dconf-defaults",
        )
        .file(
            "/etc/gdm3/greeter.dconf-defaults",
            "[org/gnome/login-screen]\nbanner-message-enable=true\nbanner-message-text='Staff only'\n",
        );
    let gnome = facts(&host)["gnome"]["value"].clone();
    assert_eq!(gnome["banner_message_enable"], json!({"value": true, "locked": false}));
    assert_eq!(gnome["banner_message_text"]["empty"], json!(false));
}
