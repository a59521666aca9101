//! CBOR as smithy's rpc-v2-cbor protocol uses it, to and from JSON values.
//!
//! CloudWatch has one set of operations and two encodings. They work on JSON values, and this file translates: a
//! timestamp (tag 1) becomes a number of seconds; on the way back the numbers under `Timestamp` and
//! `Timestamps` become tag 1 again. Input may be anything: depth is bounded, nothing here panics.

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use serde_json::{Map, Value};

const MAX_DEPTH: usize = 32;

/// Reads one CBOR item that fills `bytes`.
pub fn decode(bytes: &[u8]) -> Result<Value, DeserializeError> {
    let mut decoder = Decoder::new(bytes);
    let value = item(&mut decoder, 0)?;
    if decoder.position() != bytes.len() {
        return Err(DeserializeError::expected_end_of_stream(decoder.position()));
    }
    Ok(value)
}

fn item(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    if depth > MAX_DEPTH {
        return Err(DeserializeError::custom("nested too deeply", decoder.position()));
    }
    Ok(match decoder.datatype()? {
        Type::Bool => Value::Bool(decoder.boolean()?),
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            Value::from(decoder.long()?)
        }
        Type::F16 | Type::F32 | Type::F64 => Value::from(decoder.double()?),
        Type::String | Type::StringIndef => Value::String(decoder.string()?),
        Type::Tag => Value::from(decoder.timestamp()?.as_secs_f64()),
        Type::Array | Type::ArrayIndef => array(decoder, depth)?,
        Type::Map | Type::MapIndef => map(decoder, depth)?,
        other => {
            return Err(DeserializeError::custom(format!("unexpected type {other:?}"), decoder.position()));
        }
    })
}

fn array(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    let length = decoder.list()?;
    let mut values = Vec::new();
    while more(decoder, length, values.len())? {
        values.push(item(decoder, depth + 1)?);
    }
    Ok(Value::Array(values))
}

fn map(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    let length = decoder.map()?;
    let mut fields = Map::new();
    let mut read = 0;
    while more(decoder, length, read)? {
        let key = decoder.string()?;
        fields.insert(key, item(decoder, depth + 1)?);
        read += 1;
    }
    Ok(Value::Object(fields))
}

fn more(decoder: &mut Decoder<'_>, length: Option<u64>, read: usize) -> Result<bool, DeserializeError> {
    if let Some(length) = length {
        return Ok((read as u64) < length);
    }
    if decoder.datatype()? == Type::Break {
        decoder.skip()?;
        return Ok(false);
    }
    Ok(true)
}

/// Writes `value` as CBOR.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(512));
    put(&mut encoder, value, false);
    encoder.into_writer()
}

fn put(encoder: &mut Encoder, value: &Value, is_time: bool) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(flag) => {
            encoder.boolean(*flag);
        }
        Value::Number(number) if is_time => {
            encoder.timestamp(&DateTime::from_secs_f64(number.as_f64().unwrap_or(0.0)));
        }
        Value::Number(number) => match number.as_i64() {
            Some(integer) => {
                encoder.long(integer);
            }
            None => {
                encoder.double(number.as_f64().unwrap_or(0.0));
            }
        },
        Value::String(text) => {
            encoder.str(text);
        }
        Value::Array(values) => {
            encoder.array(values.len());
            values.iter().for_each(|value| put(encoder, value, is_time));
        }
        Value::Object(fields) => {
            encoder.map(fields.len());
            for (key, value) in fields {
                encoder.str(key);
                put(encoder, value, key == "Timestamp" || key == "Timestamps");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_value_survives_both_ways() {
        let value = json!({"Id": "m1", "Timestamps": [1_767_323_045.0, 60.0], "Values": [1.5, 0.0], "ok": true, "n": -7});
        assert_eq!(decode(&encode(&value)).unwrap(), value);
    }

    #[test]
    fn timestamps_carry_tag_one() {
        let bytes = encode(&json!({"Timestamp": 60.0}));
        let tag = bytes.iter().position(|byte| *byte == 0xc1);
        assert_eq!(tag, Some(1 + 1 + "Timestamp".len()), "{bytes:x?}");
    }

    #[test]
    fn indefinite_lengths_are_read() {
        let bytes = [0xbf, 0x61, b'a', 0x9f, 0x01, 0x02, 0xff, 0xff];
        assert_eq!(decode(&bytes).unwrap(), json!({"a": [1, 2]}));
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        assert!(decode(&vec![0x81; 100_000]).is_err());
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
