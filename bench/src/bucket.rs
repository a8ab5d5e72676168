//! Synthetic buckets: what they hold is worked out from their names, and kept nowhere.

use std::ops::Range;

/// Files in a directory, and directories in one, where objects lie in many.
const IN_A_DIRECTORY: u64 = 100;

/// A bucket of so many objects, all of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    layout: Layout,
    /// How many objects there are.
    pub(crate) count: u64,
    /// Bytes in each.
    pub(crate) size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// All in one directory.
    Flat,
    /// A hundred in each of many, which lie in others.
    Dirs,
}

impl Bucket {
    /// The bucket of this name, such as `flat-20000-4096`; `None` where the name says nothing.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut words = name.split('-');
        let layout = match words.next()? {
            "flat" => Layout::Flat,
            "dirs" => Layout::Dirs,
            _ => return None,
        };
        let (count, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(Self { layout, count, size })
    }

    /// The key of the object of this number. Keys ascend with their numbers.
    pub(crate) fn key(&self, number: u64) -> String {
        let mut key = String::new();
        self.write_key(number, &mut key);
        key
    }

    /// The same, in place of what `key` held.
    pub(crate) fn write_key(&self, number: u64, key: &mut String) {
        key.clear();
        if self.layout == Layout::Dirs {
            let directory = number / IN_A_DIRECTORY;
            push_padded(key, 'd', directory / IN_A_DIRECTORY, 5);
            push_padded(key, 'd', directory % IN_A_DIRECTORY, 2);
            key.truncate(key.len() - 1);
            key.push('/');
        }
        push_padded(key, 'f', number, 9);
        key.truncate(key.len() - 1);
    }

    /// The numbers of the objects whose keys begin so.
    pub(crate) fn with_prefix(&self, prefix: &str) -> Range<u64> {
        let start = self.first(|key| key >= prefix);
        let end = self.first(|key| key >= prefix && !key.starts_with(prefix));
        start..end
    }

    /// The number of the first object whose key is greater than this one.
    pub(crate) fn after(&self, key: &str) -> u64 {
        self.first(|other| other > key)
    }

    /// Whether there is an object of this key.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let number = self.first(|other| other >= key);
        number < self.count && self.key(number) == key
    }

    /// The number of the first object that is so, where all that follow it are too.
    fn first(&self, is_so: impl Fn(&str) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.count);
        let mut key = String::new();
        while low < high {
            let middle = low + (high - low) / 2;
            self.write_key(middle, &mut key);
            if is_so(&key) { high = middle } else { low = middle + 1 }
        }
        low
    }
}

/// Appends a name, padded with zeros, and a `/`.
fn push_padded(key: &mut String, letter: char, number: u64, width: usize) {
    key.push(letter);
    let at = key.len();
    key.extend(std::iter::repeat_n('0', width));
    let mut digits = [0_u8; 20];
    let (mut rest, mut place) = (number, digits.len());
    while rest > 0 {
        place -= 1;
        digits[place] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    let digits = std::str::from_utf8(&digits[place..]).unwrap_or_default();
    key.truncate(at + width.saturating_sub(digits.len()));
    key.push_str(digits);
    key.push('/');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_held() {
        let bucket = Bucket::named("dirs-1000000-16").unwrap();
        assert_eq!(bucket, Bucket { layout: Layout::Dirs, count: 1_000_000, size: 16 });
        for name in ["", "flat", "flat-1", "other-1-1", "flat-1-1-1", "flat-x-1"] {
            assert_eq!(Bucket::named(name), None, "{name}");
        }
    }

    #[test]
    fn keys_ascend_and_are_found() {
        assert_eq!(Bucket::named("flat-1-1").unwrap().key(0), "f000000000");
        assert_eq!(Bucket::named("dirs-1-1").unwrap().key(1_234_567), "d00123/d45/f001234567");
        for name in ["flat-25000-1", "dirs-25000-1"] {
            let bucket = Bucket::named(name).unwrap();
            let keys: Vec<String> = (0..bucket.count).map(|number| bucket.key(number)).collect();
            assert!(keys.is_sorted());
            for number in [0, 1, 99, 100, 9_999, 10_000, 24_999] {
                let key = bucket.key(number);
                assert!(bucket.holds(&key) && !bucket.holds(&key[1..]));
                assert_eq!(bucket.after(&key), number + 1);
            }
            assert_eq!(bucket.after(""), 0);
            assert_eq!(bucket.with_prefix(""), 0..25_000);
            assert_eq!(bucket.with_prefix("x"), 25_000..25_000);
        }
        assert_eq!(Bucket::named("dirs-25000-1").unwrap().with_prefix("d00001/"), 10_000..20_000);
        assert_eq!(Bucket::named("dirs-25000-1").unwrap().with_prefix("d00002/d01/"), 20_100..20_200);
    }
}
