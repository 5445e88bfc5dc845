//! Components made of the WebAssembly text format, for tests and benches of the engine: no guest toolchain needed.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A normalizer that does what the first character of the dialled string asks for.
///
/// | first | does |
/// |---|---|
/// | `+` | dials the string as it is |
/// | `w` | rewrites to `+12125550100` |
/// | `p` | passes |
/// | `r` | refuses |
/// | `c` | dials `+12125550100`, traps when this instance was called before |
/// | `l` | loops |
/// | `g` | grows its memory until denied, then traps |
/// | `s` | recurses |
/// | `t` | traps |
/// | `h` | calls the gateway's log without end |
/// | `b` | answers 8 MiB |
/// | `u` | answers invalid UTF-8 |
/// | `o` | answers a string outside its memory |
/// | `d` | answers a case that doesn't exist |
/// | `e` | dials something that is no number |
pub const NORMALIZER: &str = r#"
(module
  (import "faxgate:policy/host@1.0.0" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 4096))
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 16) "wat")
  (data (i32.const 32) "1.0.0")
  (data (i32.const 48) "+12125550100")
  (data (i32.const 64) "\ff\fe\fd")
  (data (i32.const 80) "Not allowed here.")
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "faxgate:policy/plugin@1.0.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 16)) (i32.store (i32.const 1028) (i32.const 3))
    (i32.store (i32.const 1032) (i32.const 32)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.store (i32.const 1040) (i32.const 16)) (i32.store (i32.const 1044) (i32.const 3))
    (i32.const 1024))
  (func (export "faxgate:policy/plugin@1.0.0#check-settings") (result i32)
    (i32.const 1100))
  (func $recurse (param i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $dial (param $at i32) (param $len i32)
    (i32.store8 (i32.const 2052) (i32.const 0))
    (i32.store (i32.const 2056) (local.get $at))
    (i32.store (i32.const 2060) (local.get $len))
    (i32.store8 (i32.const 2077) (i32.const 1)))
  (func $rewrite (param $at i32) (param $len i32)
    (i32.store8 (i32.const 2052) (i32.const 1))
    (i32.store (i32.const 2056) (local.get $at))
    (i32.store (i32.const 2060) (local.get $len)))
  (func (export "faxgate:policy/number-normalizer@1.0.0#normalize")
    (param $raw i32) (param $len i32) (param i32 i32) (param $strict i32) (param i32 i32) (result i32)
    (local $what i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (local.get $len) (then (local.set $what (i32.load8_u (local.get $raw)))))
    (if (i32.eq (local.get $what) (i32.const 0x2b)) (then (call $dial (local.get $raw) (local.get $len))))
    (if (i32.eq (local.get $what) (i32.const 0x77)) (then (call $rewrite (i32.const 48) (i32.const 12))))
    (if (i32.eq (local.get $what) (i32.const 0x70)) (then (i32.store8 (i32.const 2052) (i32.const 2))))
    (if (i32.eq (local.get $what) (i32.const 0x72)) (then
      (i32.store8 (i32.const 2048) (i32.const 1)) (i32.store8 (i32.const 2052) (i32.const 6))
      (i32.store (i32.const 2056) (i32.const 80)) (i32.store (i32.const 2060) (i32.const 17))))
    (if (i32.eq (local.get $what) (i32.const 0x63)) (then
      (if (i32.gt_u (global.get $calls) (i32.const 1)) (then unreachable))
      (call $dial (i32.const 48) (i32.const 12))))
    (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (loop $l (br $l))))
    (if (i32.eq (local.get $what) (i32.const 0x67)) (then
      (loop $g (br_if $g (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable))
    (if (i32.eq (local.get $what) (i32.const 0x73)) (then (drop (call $recurse (i32.const 0)))))
    (if (i32.eq (local.get $what) (i32.const 0x74)) (then unreachable))
    (if (i32.eq (local.get $what) (i32.const 0x68)) (then
      (loop $h (call $log (i32.const 1) (i32.const 65536) (i32.const 65536)) (br $h))))
    (if (i32.eq (local.get $what) (i32.const 0x62)) (then
      (drop (memory.grow (i32.const 128)))
      (call $rewrite (i32.const 131072) (i32.const 8388608))))
    (if (i32.eq (local.get $what) (i32.const 0x75)) (then (call $rewrite (i32.const 64) (i32.const 3))))
    (if (i32.eq (local.get $what) (i32.const 0x6f)) (then (call $rewrite (i32.const 0x7fffff00) (i32.const 64))))
    (if (i32.eq (local.get $what) (i32.const 0x64)) (then (i32.store8 (i32.const 2052) (i32.const 77))))
    (if (i32.eq (local.get $what) (i32.const 0x65)) (then (call $dial (i32.const 80) (i32.const 17))))
    (i32.const 2048))
)
"#;

/// A converter that does what the first byte of the first part asks for. A document has ten pages of eight white
/// rows; the black pixels of a page tell its index and those of an even one are late by a little loop.
///
/// | first | does |
/// |---|---|
/// | `%` | opens it; no PDF of its own |
/// | `P` | answers a PDF |
/// | `N` | answers no PDF for something that is none |
/// | `B` | answers something that is no PDF |
/// | `Z` | opens a document without pages |
/// | `U` | unsupported |
/// | `E` | encrypted |
/// | `T` | traps while drawing page 3 |
/// | `W` | draws page 3 with another width |
/// | `G` | draws page 3 without an end of block |
/// | `L` | loops while drawing page 3 |
pub const CONVERTER: &str = r#"
(module
  (import "[export]faxgate:policy/converter@1.0.0" "[resource-new]document" (func $new (param i32) (result i32)))
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 65536))
  (data (i32.const 16) "wat")
  (data (i32.const 32) "1.0.0")
  (data (i32.const 48) "%PDF-1.4 made here")
  (data (i32.const 80) "Not this one.")
  (data (i32.const 96) "\ff\00\10\01")
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "faxgate:policy/plugin@1.0.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 16)) (i32.store (i32.const 1028) (i32.const 3))
    (i32.store (i32.const 1032) (i32.const 32)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.store (i32.const 1040) (i32.const 16)) (i32.store (i32.const 1044) (i32.const 3))
    (i32.const 1024))
  (func (export "faxgate:policy/plugin@1.0.0#check-settings") (result i32) (i32.const 1100))
  (func $refuse (param $kind i32)
    (i32.store8 (i32.const 2048) (i32.const 1)) (i32.store8 (i32.const 2052) (local.get $kind))
    (i32.store (i32.const 2056) (i32.const 80)) (i32.store (i32.const 2060) (i32.const 13)))
  (func (export "faxgate:policy/converter@1.0.0#[static]document.open")
    (param $parts i32) (param i32 i32 i32 i32 i64 i32) (result i32)
    (local $what i32)
    (local.set $what (i32.load8_u (i32.load (local.get $parts))))
    (i32.store (i32.const 2052) (call $new (local.get $what)))
    (if (i32.eq (local.get $what) (i32.const 0x55)) (then (call $refuse (i32.const 0))))
    (if (i32.eq (local.get $what) (i32.const 0x45)) (then (call $refuse (i32.const 1))))
    (i32.const 2048))
  (func (export "faxgate:policy/converter@1.0.0#[method]document.pages") (param $what i32) (result i32)
    (if (result i32) (i32.eq (local.get $what) (i32.const 0x5a)) (then (i32.const 0)) (else (i32.const 10))))
  (func (export "faxgate:policy/converter@1.0.0#[method]document.notes") (param i32) (result i32)
    (i32.store (i32.const 1200) (i32.const 80)) (i32.store (i32.const 1204) (i32.const 13))
    (i32.store (i32.const 1208) (i32.const 1200)) (i32.store (i32.const 1212) (i32.const 1))
    (i32.const 1208))
  (func (export "faxgate:policy/converter@1.0.0#[method]document.pdf") (param $what i32) (result i32)
    (if (i32.eq (local.get $what) (i32.const 0x50)) (then
      (i32.store8 (i32.const 3076) (i32.const 1))
      (i32.store (i32.const 3080) (i32.const 48)) (i32.store (i32.const 3084) (i32.const 18))))
    (if (i32.eq (local.get $what) (i32.const 0x42)) (then
      (i32.store8 (i32.const 3076) (i32.const 1))
      (i32.store (i32.const 3080) (i32.const 80)) (i32.store (i32.const 3084) (i32.const 13))))
    (i32.const 3072))
  (func (export "faxgate:policy/converter@1.0.0#[method]document.render")
    (param $what i32) (param $index i32) (param $width i32) (param $resolution i32) (param i32 i32 i32 i32) (result i32)
    (local $i i32)
    (i32.store (i32.const 4104) (local.get $width)) (i32.store (i32.const 4108) (i32.const 8))
    (i32.store16 (i32.const 4112) (i32.const 204))
    (i32.store16 (i32.const 4114)
      (if (result i32) (local.get $resolution) (then (i32.const 196)) (else (i32.const 98))))
    (i32.store (i32.const 4116) (i32.const 96)) (i32.store (i32.const 4120) (i32.const 4))
    (i64.store (i32.const 4128) (i64.extend_i32_u (local.get $index)))
    (if (i32.eqz (i32.and (local.get $index) (i32.const 1))) (then
      (loop $late (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $late (i32.lt_u (local.get $i) (i32.const 1000000))))))
    (if (i32.eq (local.get $index) (i32.const 3)) (then
      (if (i32.eq (local.get $what) (i32.const 0x54)) (then unreachable))
      (if (i32.eq (local.get $what) (i32.const 0x57)) (then (i32.store (i32.const 4104) (i32.const 1700))))
      (if (i32.eq (local.get $what) (i32.const 0x47)) (then (i32.store (i32.const 4120) (i32.const 3))))
      (if (i32.eq (local.get $what) (i32.const 0x4c)) (then (loop $l (br $l))))))
    (i32.const 4096))
)
"#;

/// A normalizer with nothing in it but `dial(+12125550100)`: the cost of a call itself.
pub fn noop_normalizer() -> String {
    let head = NORMALIZER.find("    (local $what i32)").unwrap_or(0);
    format!(
        "{}    (call $dial (i32.const 48) (i32.const 12)) (i32.const 2048)))",
        &NORMALIZER[..head]
    )
}

/// Makes a component of a core module in text form that implements a world of `wit/`.
pub fn component(core: &str, installation: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = crate::paths::repository().join("wit");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let installation = resolve.select_world(&[package], Some(installation)).unwrap();
    let mut module = wat::parse_str(core).unwrap();
    embed_component_metadata(&mut module, &resolve, installation, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

/// [`component`] for the `number-normalizer-plugin` world.
pub fn normalizer(core: &str) -> Vec<u8> {
    component(core, "number-normalizer-plugin")
}

/// [`component`] for the `converter-plugin` world.
pub fn converter(core: &str) -> Vec<u8> {
    component(core, "converter-plugin")
}
