//! Small pictures of images, made once and kept in the store.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, ImageResult, Limits,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::AttachmentError;
use crate::files::{FileKind, FileStore};
use crate::storage::AttachedFile;

/// Width and height of a thumbnail at most, in pixels.
pub const THUMBNAIL_MAX_PX: u32 = 320;
/// The largest file of which one is made: all of it is in memory meanwhile.
const SOURCE_MAX_BYTES: u64 = 32 * 1_024 * 1_024;
/// The largest width and height of an image.
const SIDE_MAX_PX: u32 = 16_384;
/// The most pixels of an image: 25 million are 100 MB, and as much again in a decoder.
const PIXELS_MAX: u64 = 25_000_000;
/// What a decoder may allocate, in bytes: more than an image of [`PIXELS_MAX`] takes, less than what a
/// file may claim to hold.
const ALLOC_MAX_BYTES: u64 = 256 * 1_024 * 1_024;
/// Requests that wait for a thumbnail to be made, for so long at most; one is made at a time.
const WAITING_MAX: usize = 32;
const WAIT: Duration = Duration::from_secs(5);
const JPEG_QUALITY: u8 = 80;

/// A thumbnail.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    /// Its bytes: a JPEG, or a PNG where the image has transparent parts.
    pub image: Bytes,
    /// Which of them.
    pub kind: FileKind,
}

/// Makes thumbnails, one at a time, on a thread of its own.
#[derive(Debug)]
pub(super) struct Thumbnails {
    place: Arc<Semaphore>,
    line: Semaphore,
}

impl Default for Thumbnails {
    fn default() -> Self {
        Self {
            place: Arc::new(Semaphore::new(1)),
            line: Semaphore::new(1 + WAITING_MAX),
        }
    }
}

/// Whether a file with this media type and size has a thumbnail, as far as can be told without it.
pub fn has_thumbnail(mime: &str, bytes: u64) -> bool {
    FileKind::of_mime(mime).is_image() && bytes <= SOURCE_MAX_BYTES
}

impl Thumbnails {
    pub(super) async fn get(
        &self,
        store: &FileStore,
        file: &AttachedFile,
    ) -> Result<Thumbnail, AttachmentError> {
        if !has_thumbnail(&file.mime, file.bytes) {
            let why = format!(
                "only PNG, JPEG, GIF and WebP of at most {SOURCE_MAX_BYTES} bytes have one"
            );
            return Err(AttachmentError::NoThumbnail(why));
        }
        if let Some(image) = store.thumbnail(file.hash).await? {
            return Ok(Thumbnail::of(image));
        }
        let _in_line = self.line.try_acquire().map_err(|_| busy())?;
        let place = timeout(WAIT, Arc::clone(&self.place).acquire_owned());
        let place = place.await.map_err(|_| busy())?.map_err(|_| busy())?;
        // Whoever was ahead in the line may have made it.
        if let Some(image) = store.thumbnail(file.hash).await? {
            return Ok(Thumbnail::of(image));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or_default());
        let mut read = store.read(file.hash, None).await?;
        while let Some(piece) = read.next().await? {
            bytes.extend_from_slice(&piece);
        }
        let kind = FileKind::of_mime(&file.mime);
        let image = shrink_apart(bytes, kind, place).await?;
        store.put_thumbnail(file.hash, image.clone()).await?;
        Ok(Thumbnail::of(image))
    }
}

impl Thumbnail {
    fn of(image: Bytes) -> Self {
        let kind = FileKind::of(&image);
        Self { image, kind }
    }
}

fn busy() -> AttachmentError {
    AttachmentError::ThumbnailsBusy
}

/// The place is taken until the work is done, whether somebody still waits for it or not.
async fn shrink_apart(
    bytes: Vec<u8>,
    kind: FileKind,
    place: OwnedSemaphorePermit,
) -> Result<Bytes, AttachmentError> {
    let shrunk = spawn_blocking(move || {
        let shrunk = shrink(&bytes, kind);
        drop(place);
        shrunk
    });
    let unreadable = |why: String| AttachmentError::NoThumbnail(why);
    match shrunk.await {
        Ok(Ok(image)) => Ok(image),
        Ok(Err(ImageError::Limits(_))) => Err(unreadable(format!(
            "an image has at most {SIDE_MAX_PX} pixels a side and {PIXELS_MAX} in all"
        ))),
        Ok(Err(error)) => Err(unreadable(format!("the image cannot be read ({error})"))),
        Err(_) => Err(unreadable("the image cannot be read".to_owned())),
    }
}

/// The image, or its first frame, the right way up, within [`THUMBNAIL_MAX_PX`].
fn shrink(bytes: &[u8], kind: FileKind) -> ImageResult<Bytes> {
    let format = match kind {
        FileKind::Png => ImageFormat::Png,
        FileKind::Jpeg => ImageFormat::Jpeg,
        FileKind::Gif => ImageFormat::Gif,
        FileKind::Webp | FileKind::Other => ImageFormat::WebP,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    decoder.set_limits(limits())?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        let kind = image::error::LimitErrorKind::DimensionError;
        return Err(ImageError::Limits(image::error::LimitError::from_kind(
            kind,
        )));
    }
    let orientation = decoder.orientation()?;
    let image = DynamicImage::from_decoder(decoder)?;
    let max = THUMBNAIL_MAX_PX;
    let mut small = match width <= max && height <= max {
        true => image,
        false => image.thumbnail(max, max),
    };
    small.apply_orientation(orientation);
    let mut encoded = Vec::new();
    if small.color().has_alpha() {
        let small = DynamicImage::from(small.into_rgba8());
        small.write_with_encoder(PngEncoder::new(&mut encoded))?;
    } else {
        let small = DynamicImage::from(small.into_rgb8());
        small.write_with_encoder(JpegEncoder::new_with_quality(&mut encoded, JPEG_QUALITY))?;
    }
    Ok(encoded.into())
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX_PX);
    limits.max_image_height = Some(SIDE_MAX_PX);
    limits.max_alloc = Some(ALLOC_MAX_BYTES);
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::FileStore;

    async fn kept(store: &FileStore, bytes: &[u8]) -> AttachedFile {
        let mut file = store.receive().await.unwrap();
        file.write(&Bytes::copy_from_slice(bytes)).await.unwrap();
        let received = file.finish().await.unwrap();
        let (hash, bytes, mime) = (received.hash, received.bytes, received.kind.mime());
        received.keep().await.unwrap();
        AttachedFile {
            card: "c1".parse().unwrap(),
            hash,
            bytes,
            mime: mime.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn thumbnails_are_made_one_at_a_time_and_a_full_line_is_busy() {
        let store = FileStore::in_memory();
        let mut image = std::io::Cursor::new(Vec::new());
        let small = DynamicImage::new_rgb8(4, 4);
        small.write_to(&mut image, ImageFormat::Png).unwrap();
        let file = kept(&store, image.get_ref()).await;
        let thumbnails = Arc::new(Thumbnails::default());
        let place = Arc::clone(&thumbnails.place).try_acquire_owned().unwrap();
        let waiting: Vec<_> = (0..=WAITING_MAX)
            .map(|_| {
                let (thumbnails, store) = (Arc::clone(&thumbnails), store.clone());
                let file = file.clone();
                tokio::spawn(async move { thumbnails.get(&store, &file).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let busy = thumbnails.get(&store, &file).await;
        assert!(matches!(busy, Err(AttachmentError::ThumbnailsBusy)));
        for waiting in waiting {
            let late = waiting.await.unwrap();
            assert!(matches!(late, Err(AttachmentError::ThumbnailsBusy)));
        }
        drop(place);
        let made = thumbnails.get(&store, &file).await.unwrap();
        assert_eq!(made.kind, FileKind::Jpeg);
    }
}
