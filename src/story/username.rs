//! A user name of a database, as Vault's plugins make them unless a connection has a template of its
//! own: display name and role, cut, something random, and the second of issue, all of it cut again.

use crate::event::Timestamp;

/// The digits of a second of this time, from 2001 to 2286.
const SECOND: usize = 10;

/// How letters come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

/// A default template.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// The plugins that use it.
    pub plugins: &'static str,
    separator: char,
    /// Letters of the display name that are kept; `None` where it is not in the name.
    display: Option<usize>,
    role: usize,
    random: usize,
    most: usize,
    case: Case,
    replaced: &'static [(char, char)],
}

const fn dashed(
    plugins: &'static str,
    display: Option<usize>,
    role: usize,
    most: usize,
    replaced: &'static [(char, char)],
) -> Template {
    Template { plugins, separator: '-', display, role, random: 20, most, case: Case::Kept, replaced }
}

const fn underscored(
    plugins: &'static str,
    (display, role, random): (usize, usize, usize),
    most: usize,
    case: Case,
    replaced: &'static [(char, char)],
) -> Template {
    Template { plugins, separator: '_', display: Some(display), role, random, most, case, replaced }
}

const DASHES: &[(char, char)] = &[('-', '_')];

/// From the sources of the plugins of Vault and `OpenBao`.
static TEMPLATES: &[Template] = &[
    dashed("PostgreSQL", Some(8), 8, 63, &[]),
    Template {
        plugins: "Redshift",
        separator: '-',
        display: Some(8),
        role: 8,
        random: 20,
        most: 63,
        case: Case::Lower,
        replaced: &[],
    },
    dashed("SQL Server", Some(20), 20, 128, &[]),
    dashed("MongoDB, Elasticsearch", Some(15), 15, 100, &[('.', '-')]),
    dashed("MySQL, ClickHouse", Some(10), 10, 32, &[]),
    dashed("MySQL of Aurora, RDS and before 5.7", None, 4, 16, &[]),
    underscored("Cassandra, InfluxDB", (15, 15, 20), 100, Case::Lower, DASHES),
    underscored("SAP HANA", (32, 20, 20), 127, Case::Upper, DASHES),
    underscored("Snowflake", (32, 32, 20), 255, Case::Kept, DASHES),
    underscored("Oracle", (8, 8, 20), 30, Case::Upper, &[('-', '_'), ('.', '_')]),
    underscored("Oracle of OpenBao", (8, 8, 8), 30, Case::Upper, DASHES),
    underscored("Couchbase", (64, 64, 20), 128, Case::Upper, &[]),
];

/// A name that one of them can have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As the database has it.
    pub name: String,
    /// The second in which it was made, where the name is not cut before.
    pub made: Option<Timestamp>,
}

impl Username {
    /// Reads a name, with or without quotes and a MySQL host.
    ///
    /// # Errors
    /// Which templates there are, where it fits none.
    pub fn parse(text: &str) -> Result<Self, String> {
        const QUOTES: [char; 3] = ['\'', '"', '`'];
        let quoted = text.trim();
        let name = QUOTES
            .iter()
            .find_map(|quote| Some(quoted.strip_prefix(*quote)?.split_once(*quote)?.0))
            .unwrap_or(quoted);
        let is_one = name.is_ascii() && TEMPLATES.iter().any(|template| template.can_make(name));
        if !is_one {
            let plugins: Vec<_> = TEMPLATES.iter().map(|template| template.plugins).collect();
            return Err(format!(
                "It fits none of the default templates ({}). A connection with a username_template of its own \
                 makes other names: look at the issues of that time with --role, --since and --until",
                plugins.join("; ")
            ));
        }
        let made = TEMPLATES.iter().find_map(|template| template.second(name)).map(Timestamp::from_secs);
        Ok(Self { name: name.to_owned(), made })
    }

    /// The template by which a client of that display name gets this name from that role.
    pub fn template(&self, display_name: &str, role: &str) -> Option<&'static Template> {
        TEMPLATES.iter().find(|template| template.makes(&self.name, display_name, role))
    }
}

impl Template {
    fn shown(&self, text: &str) -> String {
        let of = |letter: char| {
            let replaced =
                self.replaced.iter().find(|(from, _)| *from == letter).map_or(letter, |(_, to)| *to);
            match self.case {
                Case::Kept => replaced,
                Case::Lower => replaced.to_ascii_lowercase(),
                Case::Upper => replaced.to_ascii_uppercase(),
            }
        };
        text.chars().map(of).collect()
    }

    fn start(&self) -> String {
        self.shown(&format!("v{}", self.separator))
    }

    /// Whether this client would get this name of this role.
    fn makes(&self, name: &str, display_name: &str, role: &str) -> bool {
        let cut = |text: &str, most: usize| text.get(..most).unwrap_or(text).to_owned();
        let separator = self.separator;
        let display =
            self.display.map_or(String::new(), |most| format!("{}{separator}", cut(display_name, most)));
        let head = self.shown(&format!("v{separator}{display}{}{separator}", cut(role, self.role)));
        let whole = head.len() + self.random + 1 + SECOND;
        // The old template of MySQL is cut long before.
        let is_long_enough = name.len() == whole.min(self.most);
        let Some(rest) = name.strip_prefix(&head).filter(|_| is_long_enough) else { return false };
        let (random, second) = rest.split_at(self.random.min(rest.len()));
        let second = second.strip_prefix(separator).unwrap_or(second);
        random.bytes().all(|byte| self.is_random(byte)) && second.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Whether it makes such names at all, of whatever client and role.
    fn can_make(&self, name: &str) -> bool {
        let start = self.start();
        let is_cut = name.len() == self.most && self.random(name).is_some();
        name.starts_with(&start) && (is_cut || self.second(name).is_some())
    }

    /// What is left of the random part of a name that was cut within it.
    fn random<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (head, random) = name.rsplit_once(self.separator)?;
        let separators = if self.display.is_some() { 2 } else { 1 };
        let is_random = !random.is_empty() && random.bytes().all(|byte| self.is_random(byte));
        (is_random && head.matches(self.separator).count() >= separators).then_some(random)
    }

    /// The second at its end, behind the random part.
    fn second(&self, name: &str) -> Option<i64> {
        let (head, second) = name.strip_prefix(&self.start())?.rsplit_once(self.separator)?;
        let (names, random) = head.rsplit_once(self.separator)?;
        let is_whole = second.len() == SECOND
            && second.bytes().all(|byte| byte.is_ascii_digit())
            && name.len() <= self.most
            && random.len() == self.random
            && random.bytes().all(|byte| self.is_random(byte))
            && self.display.is_some()
            && names.contains(self.separator);
        second.parse().ok().filter(|_| is_whole)
    }

    fn is_random(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
            || match self.case {
                Case::Kept => byte.is_ascii_alphabetic(),
                Case::Lower => byte.is_ascii_lowercase(),
                Case::Upper => byte.is_ascii_uppercase(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugins(name: &str, display_name: &str, role: &str) -> Option<&'static str> {
        Username::parse(name).unwrap().template(display_name, role).map(|template| template.plugins)
    }

    #[test]
    fn names_are_read_by_the_template_that_made_them() {
        let postgres = "v-kubernet-broken-r-yih145k4JasAJmMzv2EG-1795463129";
        let name = Username::parse(&format!("\"{postgres}\"")).unwrap();
        assert_eq!((name.name.as_str(), name.made), (postgres, Some(Timestamp::from_secs(1_795_463_129))));
        assert_eq!(plugins(postgres, "kubernetes-default-web", "broken-revoke"), Some("PostgreSQL"));
        for (display_name, role) in
            [("kubernetes", "broken"), ("kube", "broken-revoke"), ("approle", "broken-revoke"), ("", "")]
        {
            assert_eq!(plugins(postgres, display_name, role), None, "{display_name} {role}");
        }
        // Where the names have a dash themselves, and where there is no display name.
        assert_eq!(plugins("v-a-b-c-yih145k4JasAJmMzv2EG-1795463129", "a-b", "c"), Some("PostgreSQL"));
        assert_eq!(plugins("v-a-b-c-yih145k4JasAJmMzv2EG-1795463129", "a", "b-c"), Some("PostgreSQL"));
        assert_eq!(plugins("v--app-yih145k4JasAJmMzv2EG-1795463129", "", "app"), Some("PostgreSQL"));
    }

    #[test]
    fn names_that_are_cut_have_no_second() {
        for (name, display_name, role, of) in [
            ("v-kubernetes-readonly-AbCdEfGhIj", "kubernetes-x", "readonly", "MySQL, ClickHouse"),
            ("v-read-AbCdEfGhI", "whoever", "readonly", "MySQL of Aurora, RDS and before 5.7"),
            ("V_KUBERNET_READ_ON_ABCDEFGHIJ", "kubernetes", "read.only", ""),
            ("V_KUBERNET_READ_ONL_ABCDEFGHI1", "kubernetes", "read.only", "Oracle"),
        ] {
            let parsed = Username::parse(name);
            if of.is_empty() {
                assert!(parsed.is_err(), "{name}");
                continue;
            }
            assert_eq!(parsed.unwrap().made, None, "{name}");
            assert_eq!(plugins(name, display_name, role), Some(of), "{name}");
        }
    }

    #[test]
    fn others_change_letters() {
        for (name, of) in [
            ("v-ldap-Bob-read.Onl-AbCdEfGhIjKlMnOpQrSt-1795463129", "PostgreSQL"),
            ("v-ldap-bob-read.onl-abcdefghijklmnopqrst-1795463129", "Redshift"),
            ("v-ldap-Bob-read-Only-AbCdEfGhIjKlMnOpQrSt-1795463129", "MongoDB, Elasticsearch"),
            ("v_ldap_bob_read.only_abcdefghijklmnopqrst_1795463129", "Cassandra, InfluxDB"),
            ("V_LDAP_BOB_READ.ONLY_ABCDEFGHIJKLMNOPQRST_1795463129", "SAP HANA"),
            ("v_ldap_Bob_read.Only_AbCdEfGhIjKlMnOpQrSt_1795463129", "Snowflake"),
            ("V_LDAP-BOB_READ.ONLY_ABCDEFGHIJKLMNOPQRST_1795463129", "Couchbase"),
        ] {
            let made = Username::parse(name).unwrap();
            assert_eq!(made.made, Some(Timestamp::from_secs(1_795_463_129)), "{name}");
            let template = made.template("ldap-Bob", "read.Only").map_or("", |template| template.plugins);
            assert_eq!(template, of, "{name}");
        }
    }

    #[test]
    fn other_names_are_told_to_be_none() {
        for name in [
            "",
            "app",
            "v-",
            "v-app",
            "postgres",
            "v-a-b-short-1795463129",
            "v-ä-b-yih145k4JasAJmMzv2EG-1795463129",
        ] {
            let why = Username::parse(name).unwrap_err();
            assert!(why.contains("PostgreSQL") && why.contains("username_template"), "{name}: {why}");
        }
    }
}
