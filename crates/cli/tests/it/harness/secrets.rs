//! What no program may ever say: looked for in all that any test sees of it.

use std::process::Command;

/// The secrets that a command was given, by what they are.
pub(crate) struct Secrets(Vec<(String, String)>);

/// The shortest text that is looked for: shorter ones stand somewhere by chance.
const SHORTEST: usize = 6;

/// What stands in a signature's header, and nowhere else; and what a token of Google's begins with.
const SIGNATURES: [&str; 5] = ["Signature=", "AWS4-HMAC-SHA256", "GOOG4-HMAC-SHA256", "x-amz-security-token:", "ya29."];

impl Secrets {
    /// Those in its environment, and in the URLs of its environment and its arguments.
    pub(crate) fn of(command: &Command) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in command.get_envs() {
            let (name, value) = (name.to_string_lossy(), value.unwrap_or_default().to_string_lossy());
            if ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].contains(&name.as_ref()) {
                secrets.push((name.to_string(), value.to_string()));
            }
            secrets.extend(password_in(&value).map(|password| (format!("the password in {name}"), password)));
        }
        let passwords = command.get_args().filter_map(|argument| password_in(&argument.to_string_lossy()));
        secrets.extend(passwords.map(|password| ("the password in an argument".to_owned(), password)));
        secrets.retain(|(_, secret)| secret.len() >= SHORTEST);
        Self(secrets)
    }

    /// Asserts that the text has none of them, and nothing of a signature.
    #[track_caller]
    pub(crate) fn assert_absent_from(&self, text: &str) {
        for (what, secret) in &self.0 {
            assert!(!text.contains(secret), "{what} was printed:\n{text}");
        }
        for part in SIGNATURES {
            assert!(!text.contains(part), "{part} was printed:\n{text}");
        }
    }
}

/// The password of `scheme://user:password@host`.
fn password_in(url: &str) -> Option<String> {
    let (user, _) = url.split_once("://")?.1.rsplit_once('@')?;
    Some(user.split_once(':')?.1.to_owned())
}
