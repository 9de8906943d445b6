//! Users by number and by name.

use std::collections::BTreeMap;
use std::fs;

/// The users of this machine, and who runs the program.
pub(super) struct Users {
    /// The number of who runs the program.
    pub me: u32,
    names: BTreeMap<u32, String>,
}

impl Users {
    pub fn of_this_machine() -> Self {
        // Where there is none, numbers have to do.
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self::new(rustix::process::geteuid().as_raw(), &passwd)
    }

    /// `passwd` has the form of `/etc/passwd`.
    pub fn new(me: u32, passwd: &str) -> Self {
        let user = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            Some((fields.nth(1)?.parse().ok()?, name))
        };
        let mut names = BTreeMap::new();
        for (number, name) in passwd.lines().filter_map(user) {
            names.entry(number).or_insert(name);
        }
        Self { me, names }
    }

    /// The name, or the number of a user without one.
    pub fn name(&self, number: u32) -> String {
        match self.names.get(&number) {
            Some(name) => name.clone(),
            None => format!("user {number}"),
        }
    }

    /// How to start a command as this user.
    pub fn sudo(&self, number: u32) -> String {
        match self.names.get(&number) {
            Some(name) => format!("sudo -u {name} story-liker"),
            None => format!("sudo -u '#{number}' story-liker"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_known_by_name_where_they_have_one() {
        let users = Users::new(
            0,
            "root:x:0:0:root:/home:/bin/sh\nodd line\nstory-liker:x:998:997::/:/usr/sbin/nologin\n",
        );
        assert_eq!(users.name(0), "root");
        assert_eq!(users.name(998), "story-liker");
        assert_eq!(users.name(7), "user 7");
        assert_eq!(users.sudo(998), "sudo -u story-liker story-liker");
        assert_eq!(users.sudo(7), "sudo -u '#7' story-liker");
    }
}
