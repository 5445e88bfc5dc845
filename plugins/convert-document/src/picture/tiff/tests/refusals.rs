//! What is sound but not read, what is damaged, and what is neither.

use super::*;

/// Every row: a tag, its value, and what the sentence names.
const UNSUPPORTED: &[(u16, u64, &str)] = &[
    (259, 34712, "JPEG 2000"),
    (259, 50000, "Zstandard"),
    (259, 50001, "WebP"),
    (259, 34925, "LZMA"),
    (259, 34661, "JBIG"),
    (259, 32809, "ThunderScan"),
    (259, 65000, "a compression of its own"),
    (262, 32803, "raw data of a camera"),
    (262, 32844, "logarithmic brightness"),
    (262, 77, "a colour space of its own"),
    (339, 3, "floating-point samples"),
    (339, 6, "complex samples"),
    (258, 64, "samples of more than 32 bits"),
    (277, 17, "more than 16 samples"),
];

#[test]
fn what_is_sound_and_not_read_is_named() {
    for (tag, value, name) in UNSUPPORTED {
        let mut file = Tiff::new(WIDTH, HEIGHT, 1, 8);
        file.set(*tag, &[*value]);
        let failure = refused(&file.strips(vec![picture()]));
        assert_eq!(failure.kind, FailureKind::Unsupported, "{tag} {value}");
        assert!(failure.message.contains(name), "{}", failure.message);
    }
    let mut file = Tiff::new(WIDTH, HEIGHT, 3, 8);
    file.set(258, &[5, 6, 5]);
    let failure = refused(&file.strips(vec![picture()]));
    assert!(failure.message.contains("different widths"), "{failure:?}");
}

#[test]
fn short_data_is_damaged() {
    for (compression, pack) in compressions() {
        let mut file = Tiff::new(WIDTH, HEIGHT, 1, 8);
        file.set(259, &[compression]);
        let mut plain = picture();
        plain.truncate(plain.len() - 100);
        let failure = refused(&file.strips(vec![pack(&plain)]));
        assert_eq!(failure.kind, FailureKind::Broken, "{compression}");
    }
}

#[test]
fn spoilt_files_never_panic() {
    let mut tiled = Tiff::new(WIDTH, HEIGHT, 3, 16);
    tiled.set(284, &[2]).set(259, &[8]).set(317, &[2]);
    let tiles = tiled.tiles(16, 16, |x, y| vec![grey_at(x, y); 2]);
    let pack = |tile: &Vec<u8>| miniz_oxide::deflate::compress_to_vec_zlib(tile, 6);
    let tiles: Vec<_> = tiles.iter().map(pack).collect();
    let tiles = [tiles.clone(), tiles.clone(), tiles].concat();
    let mut palette = Tiff::new(WIDTH, HEIGHT, 1, 8);
    palette.big = true;
    palette.set(262, &[3]).set(320, &(0..768).collect::<Vec<_>>());
    let mut shared = Tiff::new(WIDTH, HEIGHT, 3, 8);
    shared.set(262, &[6]).set(530, &[2, 2]);
    let sources = [
        tiled.tiled(16, 16, tiles),
        palette.strips(vec![picture()]),
        shared.strips(vec![picture().repeat(2)]),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for round in 0..3000 {
        let mut data = sources[round % sources.len()].clone();
        for _ in 0..1 + random() % 6 {
            // The tags stand at the end.
            let at = data.len() - 1 - random() % data.len().min(600);
            data[at] = random() as u8;
        }
        let _ = read(&data, 9);
    }
}
