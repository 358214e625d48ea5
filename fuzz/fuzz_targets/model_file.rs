//! Any bytes are refused as a model file, or read and written again without loss, whatever their number types. A model of any
//! family that is in them runs its test vectors.
#![no_main]

use neurdsp_models::{FAMILIES, Layout, ModelFile};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let layout = Layout::from_bytes(bytes);
    let file = ModelFile::from_bytes(bytes);
    assert_eq!(layout.is_ok(), file.is_ok());
    let (Ok(layout), Ok(file)) = (layout, file) else { return };
    for (name, tensor) in &file.tensors {
        let place = &layout.tensors[name];
        assert_eq!((place.dtype, place.count), (tensor.dtype(), tensor.data.len()));
        assert!(place.offset as usize + place.count * place.dtype.size() <= bytes.len());
    }
    if let Ok(model) = FAMILIES.from_file(&file) {
        let _ = model.verify();
    }
    // NaN differs from itself, so bytes are compared.
    let written = file.to_bytes().expect("what was read can be written");
    let again = ModelFile::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again.to_bytes().expect("what was read can be written"), written);
});
