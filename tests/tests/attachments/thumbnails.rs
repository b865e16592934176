//! Small pictures of images, and images that are made to hurt.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};

use super::Stage;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("an image");
    bytes.into_inner()
}

fn picture(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 7])).into()
}

#[tokio::test]
async fn images_are_shown_in_place_and_have_a_thumbnail_that_is_made_once() {
    let stage = Stage::new().await;
    for (format, mime) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let bytes = encoded(&picture(640, 480), format);
        // Its name says something else.
        let file = stage.attached("c1", "picture.txt", &bytes).await;
        let got = stage.get(&file).await;
        assert_eq!(got.header("content-type"), Some(mime));
        assert!(got.body() == bytes, "{mime}");
        let how = got.header("content-disposition").expect("how");
        assert!(how.starts_with("inline; "), "{how}");
        assert_eq!(
            got.header("content-security-policy"),
            Some("default-src 'none'; sandbox")
        );

        let place = format!("{file}/thumbnail");
        let small = stage.get(&place).await;
        assert_eq!(small.status, 200, "{mime}");
        let read = ImageReader::new(Cursor::new(small.body())).with_guessed_format();
        let read = read.expect("an image").decode().expect("an image");
        assert_eq!((read.width(), read.height()), (320, 240), "{mime}");
        let tag = small.header("etag").expect("a tag");
        let known = [("if-none-match", tag)];
        let same = stage.ask("GET", &place, &stage.ann, &known, &[]).await;
        assert_eq!(same.status, 304);
        let told = stage.card("c1").await;
        let told = told["attachments"].as_array().expect("attachments").iter();
        let told: Vec<_> = told.filter(|one| one["mime"] == mime).collect();
        assert_eq!(told.len(), 1, "{mime}");
    }
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_thumbnail_comes_from_the_store_and_is_made_again_where_it_is_damaged() {
    let stage = Stage::new().await;
    let clear = RgbaImage::from_pixel(400, 100, Rgba([1, 2, 3, 40]));
    let bytes = encoded(&clear.into(), ImageFormat::Png);
    let file = stage.attached("c1", "a.png", &bytes).await;
    let place = format!("{file}/thumbnail");
    let first = stage.get(&place).await;
    assert_eq!(first.header("content-type"), Some("image/png"));
    let name = stage.files().remove(0);
    let root = stage.root().join("thumbnails");
    let kept = root.join(&name[..2]).join(&name);
    let on_disk = std::fs::read(&kept).expect("a thumbnail");
    assert!(on_disk.ends_with(first.body()));

    // What is in the store is what is sent: the image itself is not looked at.
    let hidden = stage.only_file().with_extension("hidden");
    std::fs::rename(stage.only_file(), &hidden).expect("no image");
    assert!(stage.get(&place).await.body() == first.body());
    std::fs::rename(&hidden, root.join("../").join(&name[..2]).join(&name)).expect("the image");
    let mut damaged = on_disk.clone();
    *damaged.last_mut().expect("a byte") ^= 1;
    std::fs::write(&kept, damaged).expect("damage");
    assert!(stage.get(&place).await.body() == first.body());
    assert!(std::fs::read(&kept).expect("a thumbnail") == on_disk);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn images_that_claim_too_much_or_are_broken_have_none_and_nothing_else_suffers() {
    let stage = Stage::new().await;
    let mut wide = encoded(&picture(8, 8), ImageFormat::Gif);
    wide[6..10].copy_from_slice(&[0xff; 4]);
    let mut large = encoded(&picture(8, 8), ImageFormat::Gif);
    large[6..10].copy_from_slice(&[0x80, 0x3e, 0x80, 0x3e]);
    // A small file that is large when it is read.
    let bomb = encoded(&RgbImage::new(6_000, 5_000).into(), ImageFormat::Png);
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    let mut cut = encoded(&picture(64, 64), ImageFormat::Png);
    cut.truncate(60);
    let mut cut_jpeg = encoded(&picture(64, 64), ImageFormat::Jpeg);
    cut_jpeg.truncate(40);
    let webp = b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff/\xff\xff\xff\xff".to_vec();
    for (what, bytes) in [
        ("wide", wide),
        ("large", large),
        ("bomb", bomb),
        ("cut", cut),
        ("cut-jpeg", cut_jpeg),
        ("webp", webp),
        ("text", b"no image".to_vec()),
    ] {
        let file = stage.attached("c1", what, &bytes).await;
        let small = stage.get(&format!("{file}/thumbnail")).await;
        assert_eq!(
            (small.status, small.problem().as_str()),
            (404, "no-thumbnail"),
            "{what}"
        );
        assert!(stage.get(&file).await.body() == bytes, "{what}");
    }
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_thumbnail_goes_with_its_image() {
    let stage = Stage::new().await;
    let bytes = encoded(&picture(32, 32), ImageFormat::Png);
    let file = stage.attached("c1", "a.png", &bytes).await;
    assert_eq!(stage.get(&format!("{file}/thumbnail")).await.status, 200);
    let name = stage.files().remove(0);
    let root = stage.root().join("thumbnails");
    let kept = root.join(&name[..2]).join(&name);
    assert!(kept.exists());
    let card = format!("{}/cards/c1", stage.board);
    stage.ask("DELETE", &card, &stage.ann, &[], &[]).await;
    stage.gone(1).await;
    assert!(kept.exists());
    assert_eq!(stage.sweep_in(31).await, (0, 1, 1));
    assert_eq!((kept.exists(), stage.files().len()), (false, 0));
    stage.scene.server.stop().await;
}
