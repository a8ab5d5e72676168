//! Follows a listing from page to page, and notices one that never ends.

use crate::operations::ListedPage;

/// Pages without a single name that may follow each other. A service may send
/// some, where what it looked at is hidden (delete markers, of which a page
/// covers a thousand), but at some time there must be something, or the end.
const EMPTY_PAGES: u32 = 10_000;

/// Where a listing under way goes on.
///
/// A service that repeats itself is found out in constant memory, however many
/// pages the loop has: of all pages one is kept to compare the others with, and
/// replaced at growing distances (Brent's way,
/// <https://doi.org/10.1007/BF01933190>).
#[derive(Clone, Debug, Default)]
pub struct Continuation {
    token: Option<String>,
    kept: Landmark,
    /// Pages since `kept`.
    since: u64,
    /// Pages after which another one is kept.
    until: u64,
    empty_pages: u32,
}

/// By what a page is known again.
#[derive(Clone, Debug, Default)]
struct Landmark {
    next: Option<String>,
    first: Option<String>,
}

/// Why a listing is not followed any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Endless {
    /// A page came again.
    #[error("the service repeats {what} {name:?}: the listing would never end")]
    Repeats {
        /// What of the page.
        what: &'static str,
        /// The repeated token or name.
        name: String,
    },
    /// There are only empty pages.
    #[error("{EMPTY_PAGES} pages in a row were empty, and the service says that there are more: it may never end")]
    Empty,
}

impl Continuation {
    /// What to ask the next page with; `None` for the first one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Takes in a page; says whether another one follows.
    pub fn advance(&mut self, page: &ListedPage) -> Result<bool, Endless> {
        let is_empty = page.objects.is_empty() && page.common_prefixes.is_empty();
        // Common prefixes are left out: some services give the same one on two pages.
        let first = page.objects.first().map(|object| object.key.as_str());
        self.follow(is_empty, first, page.next.clone())
    }

    pub(super) fn follow(
        &mut self,
        is_empty: bool,
        first: Option<&str>,
        next: Option<String>,
    ) -> Result<bool, Endless> {
        let Some(next) = next else { return Ok(false) };
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        if self.empty_pages >= EMPTY_PAGES {
            return Err(Endless::Empty);
        }
        if self.kept.next.as_ref() == Some(&next) {
            return Err(Endless::Repeats { what: "its continuation token", name: next });
        }
        if let Some(name) = first.filter(|first| self.kept.first.as_deref() == Some(*first)) {
            return Err(Endless::Repeats { what: "a page that begins with", name: name.to_owned() });
        }
        if self.since == self.until {
            self.kept = Landmark { next: Some(next.clone()), first: first.map(str::to_owned) };
            (self.since, self.until) = (0, (self.until * 2).max(1));
        }
        self.since += 1;
        self.token = Some(next);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many pages a listing is given up whose tokens and names come so.
    fn pages(token: impl Fn(u64) -> String, name: impl Fn(u64) -> Option<String>) -> (u64, Endless) {
        let mut continuation = Continuation::default();
        for page in 1..100_000 {
            let name = name(page);
            if let Err(endless) = continuation.follow(name.is_none(), name.as_deref(), Some(token(page))) {
                return (page, endless);
            }
        }
        panic!("it goes on");
    }

    #[test]
    fn a_loop_of_any_length_is_noticed_by_its_tokens() {
        for length in [1, 2, 3, 7, 100, 4096] {
            for before in [0, 1, 50] {
                let token = |page: u64| if page <= before { format!("b{page}") } else { format!("t{}", page % length) };
                let (page, endless) = pages(token, |page| Some(format!("n{page}")));
                assert!(matches!(endless, Endless::Repeats { what: "its continuation token", .. }), "{endless}");
                assert!(page <= before + 4 * (before + length) + 2, "{page} pages for {length} after {before}");
            }
        }
    }

    #[test]
    fn a_loop_with_ever_new_tokens_is_noticed_by_its_names() {
        for length in [1, 2, 100] {
            let (page, endless) = pages(|page| format!("t{page}"), |page| Some(format!("n{}", page % length)));
            assert!(endless.to_string().contains("a page that begins with \"n"), "{endless}");
            assert!(page <= 4 * length + 2, "{page} pages for {length}");
        }
    }

    #[test]
    fn nothing_at_all_for_ever_is_noticed() {
        let (page, endless) = pages(|page| format!("t{page}"), |_| None);
        assert_eq!((page, endless), (u64::from(EMPTY_PAGES), Endless::Empty));
    }

    #[test]
    fn a_listing_that_goes_on_is_followed_to_its_end() {
        let mut continuation = Continuation::default();
        for page in 0..50_000_u64 {
            assert_eq!(continuation.token().map(str::to_owned), (page > 0).then(|| format!("t{}", page - 1)));
            // Of a thousand pages one has something.
            let name = page.is_multiple_of(1000).then(|| page.to_string());
            assert_eq!(continuation.follow(name.is_none(), name.as_deref(), Some(format!("t{page}"))), Ok(true));
        }
        assert_eq!(continuation.follow(true, None, None), Ok(false));
    }
}
