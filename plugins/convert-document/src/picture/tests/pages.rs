//! How many pages a picture has: none when it is blank, several when it is very tall.

use super::*;

#[test]
fn a_blank_picture_is_refused() {
    let white = DynamicImage::ImageLuma8(GrayImage::from_pixel(300, 300, Luma([255])));
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(300, 300, Rgba([0, 0, 0, 0])));
    let colour = DynamicImage::ImageRgb8(white.to_rgb8());
    for (image, format) in [
        (&white, ImageFormat::Png),
        (&clear, ImageFormat::Png),
        (&white, ImageFormat::Jpeg),
        (&colour, ImageFormat::Jpeg),
        (&colour, ImageFormat::Bmp),
        (&colour, ImageFormat::Gif),
        (&colour, ImageFormat::WebP),
    ] {
        let failure = open(save(image, format)).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Empty, "{format:?}");
    }
    let fax = |bitmap: &Bitmap, photometric| TiffPage {
        compression: 4,
        photometric,
        fill_order: 1,
        width: bitmap.width(),
        height: bitmap.height(),
        strip: encode(bitmap),
    };
    let blank = Bitmap::new(1728, 200);
    let mut black = blank.clone();
    black.invert();
    let written = fax_page(1728, 200, 1);
    for (page, photometric) in [(&blank, 0), (&black, 1)] {
        let failure = open(tiff(&[fax(&written, 0), fax(page, photometric)], true))
            .err()
            .unwrap();
        assert_eq!(failure.kind, FailureKind::Empty);
        assert!(failure.message.starts_with("Page 2"), "{}", failure.message);
    }
    for (page, photometric) in [(&blank, 1), (&black, 0), (&written, 1)] {
        assert!(draw(tiff(&[fax(page, photometric)], true)).black > 0);
    }
}

#[test]
fn a_receipt_goes_on_to_further_pages() {
    // Ten bars, with white where the third and fourth pages would be.
    let bars = |x: u32, y: u32| (20..260).contains(&x) && y % 800 < 60 && !(2050..3900).contains(&y);
    let value = |dark: bool| Luma([if dark { 0 } else { 255 }]);
    let tall = GrayImage::from_fn(300, 8000, |x, y| value(bars(x, y)));
    let wide = GrayImage::from_fn(8000, 300, |x, y| value(bars(y, x)));
    for image in [tall, wide] {
        let image = DynamicImage::ImageLuma8(image);
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let document = open(save(&image, format)).unwrap();
            let notes = document.notes();
            assert!(notes[0].contains("split over"), "{notes:?}");
            // 6000 points in steps of 742 take nine pages, of which three would be blank.
            assert_eq!(document.pages(), 6, "{format:?}");
            let mut black = 0;
            for page in 0..document.pages() {
                let drawn = document.render(page, &RASTER).unwrap();
                assert!(drawn.black > 0, "page {page}");
                black += drawn.black;
            }
            let bar = 240.0 / 96.0 * 204.0 * (60.0 / 96.0 * 196.0);
            let bars = black as f64 / bar;
            // Eight bars, of which some may stand in what two pages show.
            assert!((7.9..9.5).contains(&bars), "{bars} bars");
        }
    }
    let long = fax_page(1728, 9000, 1);
    let page = TiffPage {
        compression: 4,
        photometric: 0,
        fill_order: 1,
        width: 1728,
        height: 9000,
        strip: encode(&long),
    };
    let document = open(tiff(&[page], true)).unwrap();
    assert_eq!(document.pages(), 5);
    assert!((0..5).all(|page| document.render(page, &RASTER).unwrap().black > 10_000));
}

#[test]
fn a_receipt_of_too_many_pages_is_refused() {
    let tall = DynamicImage::ImageLuma8(GrayImage::from_fn(20, 60_000, |_, y| Luma([(y % 2 * 255) as u8])));
    let part = Part {
        data: save(&tall, ImageFormat::Png),
        ..Part::default()
    };
    let limits = Limits {
        max_pages: 50,
        ..LIMITS
    };
    let refused = Document::open(vec![part], OpenOptions::for_tests(Paper::Letter, limits));
    assert_eq!(refused.err().unwrap().kind, FailureKind::TooManyPages);
}
