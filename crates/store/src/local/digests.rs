//! Digests of a file's content, all wanted kinds in one pass.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::{Digest, DigestKind, Hashers};

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// The digests of everything that the file holds, one for each kind, in the
/// same order, and how many bytes that were.
pub(super) fn of_file(file: &File, wanted: &[DigestKind]) -> io::Result<(Vec<Digest>, u64)> {
    let mut hashers = Hashers::new(wanted);
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        let read = match file.read_at(&mut buffer, offset) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hashers.update(&buffer[..read]);
        offset += read as u64;
    }
    Ok((hashers.finish(), offset))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use md5::{Digest as _, Md5};
    use proptest::prelude::*;

    use super::*;

    fn file_of(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn digests_agree_with_published_values() {
        let (digests, length) = of_file(&file_of(b"123456789"), &[DigestKind::Crc64Nvme, DigestKind::Md5]).unwrap();
        // The check value of CRC-64/NVME in the catalogue of parametrised CRC
        // algorithms (reveng), and `printf 123456789 | md5sum`.
        assert_eq!(digests[0], Digest::Crc64Nvme(0xae8b_1486_0a79_9888));
        assert_eq!(Some(digests[1]), Digest::from_etag("25f9e794323b453885f5181f1b624d0b"));
        assert_eq!(length, 9);
    }

    fn by_definition(content: &[u8], part_size: usize) -> Digest {
        let parts: Vec<&[u8]> = if content.is_empty() { vec![content] } else { content.chunks(part_size).collect() };
        let md5s: Vec<u8> = parts.iter().flat_map(|part| Md5::digest(part).to_vec()).collect();
        Digest::MultipartMd5 { md5: Md5::digest(md5s).into(), parts: u32::try_from(parts.len()).unwrap() }
    }

    proptest! {
        #[test]
        fn a_multipart_digest_is_the_md5_of_the_md5s_of_the_parts(
            content in proptest::collection::vec(any::<u8>(), 0..200),
            part_size in 1..70_usize,
        ) {
            let kind = DigestKind::MultipartMd5 { part_size: part_size as u64 };
            let (digests, _) = of_file(&file_of(&content), &[kind]).unwrap();
            prop_assert_eq!(digests, vec![by_definition(&content, part_size)]);
        }
    }

    #[test]
    fn parts_may_end_anywhere_in_what_is_read_at_once() {
        let content: Vec<u8> = (0..=250).cycle().take(3 * CHUNK + 17).collect();
        let file = file_of(&content);
        for part_size in [CHUNK - 1, CHUNK, CHUNK + 1, content.len(), content.len() + 1] {
            let kind = DigestKind::MultipartMd5 { part_size: part_size as u64 };
            assert_eq!(of_file(&file, &[kind]).unwrap().0, vec![by_definition(&content, part_size)], "{part_size}");
        }
    }
}
