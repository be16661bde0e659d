//! Settings from each source, and which of them wins.

use super::*;
use anyhow::ensure;
use std::net::IpAddr;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn from_file(text: &str) -> Result<Config> {
    resolve(&Flags::default(), &[], text)
}

fn resolve(flags: &Flags, pairs: &[(&str, &str)], text: &str) -> Result<Config> {
    let file = Some((Path::new("data/paydown.toml"), text));
    Config::resolve(flags, &env(pairs), file, |path| {
        if path == Path::new("/etc/mail-ca.pem") {
            return Ok(rcgen::generate_simple_self_signed(["mail.example".to_owned()])?.cert.pem());
        }
        ensure!(path == Path::new("/run/secrets/smtp"), "no such file");
        Ok("hunter2-öß\r\n".to_owned())
    })
}

fn shown<'c>(config: &'c Config, key: &str) -> (&'c str, String) {
    let found = config.shown().iter().find(|shown| shown.key == key).unwrap();
    (&found.value, found.origin.to_string())
}

#[test]
fn without_anything_it_serves_this_machine_from_the_data_folder() {
    let config = from_file("").unwrap();
    assert_eq!(config.database, DatabaseUrl::Sqlite("data/paydown.db".into()));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.metrics_listen, Some("127.0.0.1:8081".parse().unwrap()));
    assert!(matches!(&config.mail, Mail::Folder(folder) if folder == Path::new("data/mail")));
    assert!(config.shown().iter().all(|shown| shown.origin == Origin::Default));
    assert_eq!(config.shown().len(), 13);
}

#[test]
fn flags_beat_environment_beats_file_beats_default() {
    let text = "listen = '127.0.0.1:1'\nlog_format = 'json'\npublic_url = 'https://pay.example'";
    let flags = Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
    let pairs =
        [("PAYDOWN_LISTEN", "127.0.0.1:2"), ("PAYDOWN_LOG_FORMAT", ""), ("PAYDOWN_DATA_DIR", "/srv/pay")];
    let config = resolve(&flags, &pairs, text).unwrap();
    assert_eq!(shown(&config, "listen"), ("127.0.0.1:3", "flag --listen".to_owned()));
    assert_eq!(shown(&config, "log_format"), ("json", "file data/paydown.toml".to_owned()));
    assert_eq!(shown(&config, "data_dir"), ("/srv/pay", "environment PAYDOWN_DATA_DIR".to_owned()));
    assert_eq!(config.database, DatabaseUrl::Sqlite("/srv/pay/paydown.db".into()));
    assert_eq!(config.log_format, LogFormat::Json);
    let config = resolve(&Flags::default(), &pairs, text).unwrap();
    assert_eq!(config.listen.port(), 2);
}

#[test]
fn unknown_names_are_refused_with_the_one_that_was_meant() {
    let error = |text: &str| format!("{:#}", from_file(text).unwrap_err());
    assert!(error("lisen = 'x'").contains("did you mean \"listen\"?"));
    assert!(error("colour = 'x'").contains("there are: data_dir, database,"));
    assert!(error("listen = 8080").contains("listen is a text"));
    assert!(error("listen = ").contains("data/paydown.toml are wrong"));
    assert!(error("data_dir = 'elsewhere'").contains("PAYDOWN_DATA_DIR"));
    let flags = Flags { config: Some("x.toml".to_owned()), ..Flags::default() };
    assert_eq!(resolve(&flags, &[], "data_dir = 'elsewhere'").unwrap().data_dir, Path::new("elsewhere"));
}

#[test]
fn wrong_values_name_the_setting_its_source_and_what_is_expected() {
    let cases: [(&str, &str); 12] = [
        ("listen", "8080"),
        ("listen", "localhost:8080"),
        ("metrics_listen", "on"),
        ("public_url", "pay.example.com"),
        ("public_url", "http://pay.example.com"),
        ("public_url", "https://pay.example.com/portal"),
        ("public_url", "https://user@pay.example.com"),
        ("public_url", "ftp://pay.example.com"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("trusted_proxies", "proxy.local"),
        ("log_format", "xml"),
        ("database", "mysql://h/d"),
    ];
    for (key, value) in cases {
        let variable = format!("PAYDOWN_{}", key.to_uppercase());
        let error = format!("{:#}", resolve(&Flags::default(), &[(&variable, value)], "").unwrap_err());
        assert!(error.contains(key) && error.contains(&variable), "{error}");
    }
}

#[test]
fn public_addresses_are_kept_without_a_slash() {
    let url =
        |value: &str| resolve(&Flags::default(), &[("PAYDOWN_PUBLIC_URL", value)], "").unwrap().public_url;
    assert_eq!(url("https://pay.example.com/"), "https://pay.example.com");
    assert_eq!(url("http://localhost:3000"), "http://localhost:3000");
    assert_eq!(url("http://[::1]:3000/"), "http://[::1]:3000");
    let open = resolve(&Flags::default(), &[("PAYDOWN_LISTEN", "0.0.0.0:8081")], "").unwrap();
    assert_eq!(open.public_url, "http://localhost:8081");
    let bound = "127.0.0.1:49152".parse().unwrap();
    let chosen = resolve(&Flags::default(), &[("PAYDOWN_LISTEN", "127.0.0.1:0")], "").unwrap();
    assert_eq!(chosen.public_url_at(bound), "http://127.0.0.1:49152");
    let set = resolve(&Flags::default(), &[("PAYDOWN_PUBLIC_URL", "https://pay.example.com")], "").unwrap();
    assert_eq!(set.public_url_at(bound), "https://pay.example.com");
}

#[test]
fn mail_goes_to_a_folder_or_a_protected_server() {
    let mail = |value: &str| {
        let password = if value.contains('@') { "hunter2" } else { "" };
        let pairs = [("PAYDOWN_MAIL", value), ("PAYDOWN_SMTP_PASSWORD", password)];
        resolve(&Flags::default(), &pairs, "").map(|config| config.mail)
    };
    let smtp = |value: &str| match mail(value).unwrap() {
        Mail::Smtp(smtp) => (smtp.host, smtp.port, smtp.user, smtp.security),
        other => panic!("{other:?}"),
    };
    let user = Some("billing@acme.test".to_owned());
    assert_eq!(
        smtp("smtp://billing%40acme.test@mx.example"),
        ("mx.example".to_owned(), 587, user, SmtpSecurity::StartTls)
    );
    assert_eq!(smtp("smtps://mx.example:2465"), ("mx.example".to_owned(), 2465, None, SmtpSecurity::Tls));
    assert_eq!(smtp("smtp://127.0.0.1:1025").3, SmtpSecurity::None);
    assert_eq!(smtp("smtp://localhost").1, 25);
    assert_eq!((smtp("smtp://[::1]").0, smtp("smtp://[::1]").3), ("::1".to_owned(), SmtpSecurity::None));
    for own in ["localhost", "LOCALHOST", "127.8.9.1", "[::1]"] {
        assert_eq!(smtp(&format!("smtp://{own}")).3, SmtpSecurity::None, "{own}");
    }
    for other in
        ["localhost.example", "mail.localhost", "10.0.0.1", "0.0.0.0", "[::]", "[2001:db8::1]", "128.0.0.1"]
    {
        assert_eq!(smtp(&format!("smtp://{other}")).3, SmtpSecurity::StartTls, "{other}");
    }
    for wrong in [
        "smtp://",
        "smtp://mx.example/x",
        "smtp://a?tls=no",
        "folder:",
        "mx.example:25",
        "http://mx.example",
        "smtp://u:s3cret@mx.example",
        "smtp:///x",
    ] {
        let error = format!("{:#}", mail(wrong).unwrap_err());
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn the_mail_servers_authority_is_a_file_that_is_read_at_once() {
    let local = ("PAYDOWN_MAIL", "smtp://127.0.0.1:1025");
    let named = resolve(&Flags::default(), &[local], "smtp_ca_file = \"/etc/mail-ca.pem\"").unwrap();
    let (value, origin) = shown(&named, "smtp_ca_file");
    assert_eq!(value, "/etc/mail-ca.pem");
    assert!(origin.contains("paydown.toml"), "{origin}");
    match named.mail {
        Mail::Smtp(smtp) => assert_eq!((smtp.authorities.len(), smtp.security), (1, SmtpSecurity::StartTls)),
        other => panic!("{other:?}"),
    }
    for (path, says) in
        [("/nowhere", "cannot read /nowhere"), ("/run/secrets/smtp", "expected: a certificate")]
    {
        let error = resolve(&Flags::default(), &[local, ("PAYDOWN_SMTP_CA_FILE", path)], "").unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(says) && error.contains("smtp_ca_file"), "{error}");
    }
}

#[test]
fn secrets_come_from_environment_or_file_and_are_never_shown() {
    let mail = ("PAYDOWN_MAIL", "smtp://u@mx.example");
    let password = |pairs: &[(&str, &str)]| {
        let config = resolve(&Flags::default(), pairs, "").unwrap();
        assert_eq!(shown(&config, "smtp_password").0, "***");
        assert!(!format!("{config:?}").contains("hunter2"));
        match config.mail {
            Mail::Smtp(smtp) => smtp.password.unwrap().expose().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(password(&[mail, ("PAYDOWN_SMTP_PASSWORD", "hunter2")]), "hunter2");
    assert_eq!(password(&[mail, ("PAYDOWN_SMTP_PASSWORD_FILE", "/run/secrets/smtp")]), "hunter2-öß");
    let both = [mail, ("PAYDOWN_SMTP_PASSWORD", "a"), ("PAYDOWN_SMTP_PASSWORD_FILE", "/run/secrets/smtp")];
    assert!(resolve(&Flags::default(), &both, "").unwrap_err().to_string().contains("both set"));
    let missing = [mail, ("PAYDOWN_SMTP_PASSWORD_FILE", "/nowhere")];
    assert!(resolve(&Flags::default(), &missing, "").is_err());
    assert!(resolve(&Flags::default(), &[mail], "").unwrap_err().to_string().contains("no password"));
    let nobody = [("PAYDOWN_MAIL", "smtp://mx.example"), ("PAYDOWN_SMTP_PASSWORD", "a")];
    assert!(resolve(&Flags::default(), &nobody, "").is_err());
    let database =
        resolve(&Flags::default(), &[("PAYDOWN_DATABASE", "postgres://u:s3cret@h/d")], "").unwrap();
    assert_eq!(shown(&database, "database").0, "postgres://u:***@h/d");
    assert!(!format!("{database:?}").contains("s3cret"));
}

#[test]
fn networks_contain_what_they_should() {
    let config = from_file("trusted_proxies = ['10.0.0.0/8', '::1', '192.168.1.7', '0.0.0.0/0']").unwrap();
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let [ten, local, one, all] = config.trusted_proxies.as_slice() else { panic!("four networks") };
    assert!(ten.contains(ip("10.255.0.1")) && !ten.contains(ip("11.0.0.1")));
    assert!(ten.contains(ip("::ffff:10.0.0.1")));
    assert!(local.contains(ip("::1")) && !local.contains(ip("::2")) && !local.contains(ip("127.0.0.1")));
    assert!(one.contains(ip("192.168.1.7")) && !one.contains(ip("192.168.1.8")));
    assert!(all.contains(ip("8.8.8.8")) && !all.contains(ip("2001:db8::1")));
}

#[test]
fn a_named_file_must_exist_and_the_usual_one_need_not() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = Some(dir.path().display().to_string());
    let flags = Flags { data_dir, ..Flags::default() };
    assert_eq!(Config::load(&flags, &env(&[])).unwrap().listen.port(), 8080);
    fs::write(dir.path().join(FILE_NAME), "listen = '127.0.0.1:9'").unwrap();
    assert_eq!(Config::load(&flags, &env(&[])).unwrap().listen.port(), 9);
    let named = Flags { config: Some(dir.path().join("other.toml").display().to_string()), ..flags };
    assert!(format!("{:#}", Config::load(&named, &env(&[])).unwrap_err()).contains("other.toml"));
}

#[test]
fn a_setting_of_the_portal_stands_in_its_own_part_of_the_file() {
    let text = "listen = '127.0.0.1:1'\n[portal]\namount_inputmode = 'none'";
    let config = from_file(text).unwrap();
    assert_eq!(config.amount_inputmode, AmountInputmode::None);
    let told = shown(&config, "portal.amount_inputmode");
    assert_eq!(told, ("none", "file data/paydown.toml".to_owned()));
    let pairs = [("PAYDOWN_PORTAL_AMOUNT_INPUTMODE", "decimal")];
    let config = resolve(&Flags::default(), &pairs, text).unwrap();
    assert_eq!(config.amount_inputmode, AmountInputmode::Decimal);
    let flags = Flags { portal_amount_inputmode: Some("none".to_owned()), ..Flags::default() };
    let config = resolve(&flags, &pairs, text).unwrap();
    assert_eq!(shown(&config, "portal.amount_inputmode").1, "flag --portal-amount-inputmode");
    let error = |text: &str| format!("{:#}", from_file(text).unwrap_err());
    assert!(
        error("[portal]\namount_inputmod = 'none'").contains("did you mean \"portal.amount_inputmode\"?")
    );
    assert!(error("[portal]\namount_inputmode = 'phone'").contains("neither decimal nor none"));
}
