//! Tensors of F32, F16, BF16 and I8: bytes, alignment, other readers, and amps stored in half precision.

use crate::common::{mixed_file, model_file};
use neurdsp_models::{DType, Layout, LoadedModel, ModelFile, Tensor, Values, Verification, bf16, f16};
use safetensors::{Dtype, SafeTensors};

/// A good file with the weights in another type; the parity vectors stay as they are.
fn stored_as(dtype: DType) -> ModelFile {
    let mut file = model_file();
    for (name, tensor) in &mut file.tensors {
        if !name.starts_with("parity.") {
            *tensor = tensor.cast(name, dtype).unwrap();
        }
    }
    file
}

fn verify(file: &ModelFile) -> Verification {
    LoadedModel::from_file(file).unwrap().verify().unwrap()
}

#[test]
fn a_file_of_f32_is_written_by_name_as_ever() {
    let mut file = ModelFile::default();
    file.metadata.insert("k".to_owned(), "v".to_owned());
    file.tensors.insert("b".to_owned(), Tensor::new(vec![1, 2], vec![1.0, -2.0]).unwrap());
    file.tensors.insert("a".to_owned(), Tensor::new(vec![], vec![0.5]).unwrap());
    let header = concat!(
        r#"{"__metadata__":{"k":"v"},"#,
        r#""a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#,
        r#""b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}}  "#,
    );
    let data = [0.5_f32, 1.0, -2.0].map(f32::to_le_bytes).concat();
    let expected = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat();
    assert_eq!(file.to_bytes().unwrap(), expected);
}

#[test]
fn every_type_comes_back_bit_for_bit_and_aligned() {
    let file = mixed_file();
    let bytes = file.to_bytes().unwrap();
    assert_eq!(ModelFile::from_bytes(&bytes).unwrap(), file);
    let layout = Layout::from_bytes(&bytes).unwrap();
    assert_eq!(layout.metadata, file.metadata);
    for (name, tensor) in &file.tensors {
        let place = &layout.tensors[name];
        assert_eq!(
            (place.dtype, &place.shape, place.count),
            (tensor.dtype(), &tensor.shape, tensor.data.len())
        );
        assert!(place.offset.is_multiple_of(place.dtype.size() as u64), "{name} at {}", place.offset);
    }
    let at = layout.tensors["a.int8"].offset as usize;
    assert_eq!(bytes[at..at + 3], [0x80, 0, 0x7F]);
    let at = layout.tensors["b.half"].offset as usize;
    assert_eq!(bytes[at..at + 6], [0x00, 0x3E, 0xFF, 0xFB, 0x01, 0x00]);
}

#[test]
fn lists_longer_than_the_buffer_come_back() {
    let n = 40_001_usize;
    let mut file = ModelFile::default();
    let mut insert = |name: &str, data| {
        file.tensors.insert(name.to_owned(), Tensor::from_values(vec![n], data).unwrap());
    };
    insert("single", Values::F32((0..n).map(|i| i as f32).collect()));
    insert("half", Values::F16((0..n).map(|i| f16::from_bits((i % 31_744) as u16)).collect()));
    insert("brain", Values::BF16((0..n).map(|i| bf16::from_bits((i % 32_640) as u16)).collect()));
    insert("int8", Values::I8((0..n).map(|i| i as i8).collect()));
    assert_eq!(ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap(), file);
}

#[test]
fn an_independent_reader_agrees_on_every_type_and_so_does_its_writer() {
    let file = mixed_file();
    let bytes = file.to_bytes().unwrap();
    let other = SafeTensors::deserialize(&bytes).unwrap();
    let half = other.tensor("b.half").unwrap();
    assert_eq!((half.dtype(), half.shape()), (Dtype::F16, [1, 3].as_slice()));
    let dtypes = ["a.int8", "b.half", "c.brain", "d.single"].map(|name| other.tensor(name).unwrap().dtype());
    assert_eq!(dtypes, [Dtype::I8, Dtype::F16, Dtype::BF16, Dtype::F32]);
    let theirs = safetensors::serialize(other.tensors(), Some(file.metadata.clone().into_iter().collect()));
    assert_eq!(ModelFile::from_bytes(&theirs.unwrap()).unwrap(), file);
}

#[test]
fn data_that_is_not_aligned_is_refused_by_name() {
    let header = concat!(
        r#"{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"#,
        r#""b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
    );
    let error = ModelFile::from_bytes(&crate::common::raw_file(header, 5)).unwrap_err().to_string();
    let expected =
        "the tensor b is malformed: its data start at byte 1, which is not aligned to the 4 bytes of F32";
    assert_eq!(error, expected);
}

#[test]
fn an_amp_in_half_precision_plays_as_the_rounded_weights_and_fails_a_proof_that_asks_for_more() {
    for (dtype, digits) in [(DType::F16, 11), (DType::BF16, 8)] {
        let mut stored = stored_as(dtype);
        let error_db = verify(&stored).error_db;
        // A weight is off by at most half a unit of its last place: about -6 dB for each significant bit.
        let expected_db = -20.0 * f64::from(digits) * 2_f64.log10();
        assert!((error_db - expected_db).abs() < 20.0, "{dtype}: {error_db:.1} dB, about {expected_db:.1}");
        assert!(!verify(&stored).passed(), "{dtype}");

        stored.metadata.insert("neurdsp.parity_db".to_owned(), format!("{}", error_db.ceil()));
        assert!(verify(&stored).passed(), "{dtype}");

        let mut wide = stored.clone();
        for (name, tensor) in &mut wide.tensors {
            *tensor = tensor.cast(name, DType::F32).unwrap();
        }
        assert_eq!(verify(&wide), verify(&stored), "{dtype}");
    }
}

#[test]
fn values_that_do_not_fit_are_refused_by_name() {
    let tensor = Tensor::new(vec![3], vec![65_519.0, -1.0, 65_520.0]).unwrap();
    let message = tensor.cast("layer.weight", DType::F16).unwrap_err().to_string();
    assert_eq!(
        message,
        "the value at index 2 of the tensor layer.weight is 65520, but must be below 65520 in magnitude to fit F16; \
         store it as F32"
    );
    assert!(tensor.cast("layer.weight", DType::BF16).is_ok());
    let huge = Tensor::new(vec![2], vec![f32::from_bits(0x7F7F_7FFF), f32::MAX]).unwrap();
    let message = huge.cast("w", DType::BF16).unwrap_err().to_string();
    assert!(message.starts_with("the value at index 1 of the tensor w is 340282350"), "{message}");
    let message = tensor.cast("w", DType::I8).unwrap_err().to_string();
    assert!(message.starts_with("the tensor w is stored as I8, but must be a floating type"), "{message}");
}

#[test]
fn integers_and_half_precision_that_is_not_finite_are_refused_in_an_amp() {
    let refusal = |data: Values| {
        let mut file = model_file();
        file.tensors.get_mut("input_conv.bias").unwrap().data = data;
        LoadedModel::from_file(&file).unwrap_err().to_string()
    };
    let message = refusal(Values::I8(vec![1, 2]));
    assert!(
        message.starts_with("the tensor input_conv.bias is stored as I8, but must be a floating"),
        "{message}"
    );
    for data in [Values::F16(vec![f16::ZERO, f16::INFINITY]), Values::BF16(vec![bf16::ZERO, bf16::INFINITY])]
    {
        let message = refusal(data);
        assert!(message.starts_with("input_conv.bias holds inf at index 1"), "{message}");
    }
}
