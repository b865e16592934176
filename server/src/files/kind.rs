//! What a file is, by its first bytes: what it is called or announced as does not count.

/// Kinds of files that a browser may show in place; everything else is bytes to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// Anything else.
    Other,
}

impl FileKind {
    /// First bytes that are enough to tell.
    pub const HEAD_BYTES: usize = 12;

    /// The kind of a file that begins with `head`.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Gif,
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Self::Webp,
            _ => Self::Other,
        }
    }

    /// The kind with this media type; [`FileKind::Other`] where there is none.
    pub fn of_mime(mime: &str) -> Self {
        let known = [Self::Png, Self::Jpeg, Self::Gif, Self::Webp];
        let found = known.into_iter().find(|kind| kind.mime() == mime);
        found.unwrap_or(Self::Other)
    }

    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Other => "application/octet-stream",
        }
    }

    /// Whether it is an image, which has a thumbnail and may be shown in place.
    pub fn is_image(self) -> bool {
        self != Self::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_first_bytes_alone() {
        for (head, kind) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], FileKind::Png),
            (b"\xff\xd8\xff\xe0", FileKind::Jpeg),
            (b"GIF89a", FileKind::Gif),
            (b"RIFF\x10\0\0\0WEBPVP8 ", FileKind::Webp),
            (b"RIFF\x10\0\0\0WAVE", FileKind::Other),
            (b"<svg xmlns=", FileKind::Other),
            (b"<!doctype html>", FileKind::Other),
            (b"%PDF-1.7", FileKind::Other),
            (b"GIF8", FileKind::Other),
            (b"", FileKind::Other),
        ] {
            assert_eq!(FileKind::of(head), kind, "{head:?}");
            assert_eq!(FileKind::of_mime(kind.mime()), kind);
        }
        assert_eq!(FileKind::of_mime("image/svg+xml"), FileKind::Other);
    }
}
