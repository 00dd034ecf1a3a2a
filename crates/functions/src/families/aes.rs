//! AES: texts and bytes encrypted and back, in the modes GCM, CBC and ECB.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use arrow::array::ArrayRef;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::args::Args;
use super::rows::{BINARY, TEXT, any_nullable, definitions, kernels, text_literal};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::udf;

definitions! {
    "aes_encrypt" (2, 6), Scalar(|c, a| made(c, "aes_encrypt", a)), "bytes encrypted with AES";
    "aes_decrypt" (2, 5), Scalar(|c, a| made(c, "aes_decrypt", a)), "bytes decrypted with AES";
    "try_aes_decrypt" (2, 5), Scalar(|c, a| made(c, "try_aes_decrypt", a)), "bytes decrypted with AES, null where that fails";
}

kernels! {
    "aes_encrypt" volatile => encrypt;
    "aes_decrypt" raising => |a| decrypt(a, "aes_decrypt");
    "try_aes_decrypt" => |a| decrypt(a, "try_aes_decrypt");
}

const BLOCK: usize = 16;
const GCM_IV: usize = 12;

fn made(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    const ENCRYPT: [&str; 4] = ["GCM", "DEFAULT", "", ""];
    const DECRYPT: [&str; 3] = ["GCM", "DEFAULT", ""];
    let defaults: &[&str] = if name == "aes_encrypt" { &ENCRYPT } else { &DECRYPT };
    while let Some(default) = defaults.get(arguments.len() - 2) {
        arguments.push(text_literal(default));
    }
    let sql = coercion::call_sql(name, &arguments);
    let accepts = [BINARY, BINARY, TEXT, TEXT, BINARY, BINARY];
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &accepts)?;
    let nullable = name == "try_aes_decrypt" || any_nullable(&arguments);
    udf::call(ctx, name, arguments, DataType::Binary, nullable, sql)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Ecb,
    Cbc,
    Gcm,
}

impl Mode {
    fn parse(function: &str, mode: &str, padding: &str) -> Result<Self> {
        let (upper, pad) = (mode.to_uppercase(), padding.to_uppercase());
        match (upper.as_str(), pad.as_str()) {
            ("ECB", "PKCS" | "DEFAULT") => Ok(Self::Ecb),
            ("CBC", "PKCS" | "DEFAULT") => Ok(Self::Cbc),
            ("GCM", "NONE" | "DEFAULT") => Ok(Self::Gcm),
            _ => Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_AES_MODE)
                .param("mode", mode)
                .param("padding", padding)
                .param("functionName", format!("`{function}`"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ecb => "ECB",
            Self::Cbc => "CBC",
            Self::Gcm => "GCM",
        }
    }

    fn iv_length(self) -> usize {
        match self {
            Self::Ecb => 0,
            Self::Cbc => BLOCK,
            Self::Gcm => GCM_IV,
        }
    }
}

/// AES with a key of one of its three lengths.
enum Cipher {
    Bits128(Box<Aes128>, Box<AesGcm<Aes128, U12>>),
    Bits192(Box<Aes192>, Box<AesGcm<Aes192, U12>>),
    Bits256(Box<Aes256>, Box<AesGcm<Aes256, U12>>),
}

macro_rules! with_cipher {
    ($cipher:expr, |$block:ident, $gcm:ident| $body:expr) => {
        match $cipher {
            Cipher::Bits128($block, $gcm) => $body,
            Cipher::Bits192($block, $gcm) => $body,
            Cipher::Bits256($block, $gcm) => $body,
        }
    };
}

fn parameter(class: &'static firesteel_model::ErrorClass, function: &str, parameters: &str) -> SparkError {
    SparkError::new(class).param("parameter", parameters).param("functionName", format!("`{function}`"))
}

fn failed(function: &str) -> SparkError {
    parameter(&error_class::INVALID_PARAMETER_VALUE_AES_CRYPTO_ERROR, function, "`expr`, `key`")
        .param("detailMessage", "the bytes are not what AES made with this key")
}

impl Cipher {
    fn new(function: &str, key: &[u8]) -> Result<Self> {
        let wrong = || {
            parameter(&error_class::INVALID_PARAMETER_VALUE_AES_KEY_LENGTH, function, "`key`")
                .param("actualLength", key.len().to_string())
        };
        let found = match key.len() {
            16 => Aes128::new_from_slice(key)
                .ok()
                .zip(AesGcm::new_from_slice(key).ok())
                .map(|(block, gcm)| Self::Bits128(Box::new(block), Box::new(gcm))),
            24 => Aes192::new_from_slice(key)
                .ok()
                .zip(AesGcm::new_from_slice(key).ok())
                .map(|(block, gcm)| Self::Bits192(Box::new(block), Box::new(gcm))),
            32 => Aes256::new_from_slice(key)
                .ok()
                .zip(AesGcm::new_from_slice(key).ok())
                .map(|(block, gcm)| Self::Bits256(Box::new(block), Box::new(gcm))),
            _ => None,
        };
        found.ok_or_else(wrong)
    }

    fn encrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        with_cipher!(self, |cipher, _gcm| cipher.encrypt_block(&mut block));
        block.into()
    }

    fn decrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        with_cipher!(self, |cipher, _gcm| cipher.decrypt_block(&mut block));
        block.into()
    }

    /// Blocks of the padded text; in CBC each is mixed with the one before, the first with the vector.
    fn encrypt_blocks(&self, text: &[u8], iv: Option<[u8; BLOCK]>) -> Vec<u8> {
        let padding = BLOCK - text.len() % BLOCK;
        let padded = [text, &vec![padding as u8; padding]].concat();
        let mut before = iv;
        let mut out = Vec::with_capacity(padded.len());
        for block in padded.as_chunks::<BLOCK>().0 {
            let encrypted = self.encrypt_block(before.map_or(*block, |before| mixed(*block, before)));
            before = before.map(|_| encrypted);
            out.extend_from_slice(&encrypted);
        }
        out
    }

    /// `None` where the padding is wrong.
    fn decrypt_blocks(&self, bytes: &[u8], iv: Option<[u8; BLOCK]>) -> Option<Vec<u8>> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut before = iv;
        let mut out = Vec::with_capacity(bytes.len());
        for block in blocks {
            let decrypted = self.decrypt_block(*block);
            out.extend_from_slice(&before.map_or(decrypted, |before| mixed(decrypted, before)));
            before = before.map(|_| *block);
        }
        let padding = usize::from(*out.last()?);
        let is_sound = rest.is_empty() && (1..=BLOCK).contains(&padding);
        let kept = out.len().checked_sub(padding).filter(|_| is_sound)?;
        let ends_well = out[kept..].iter().all(|byte| usize::from(*byte) == padding);
        out.truncate(kept);
        ends_well.then_some(out)
    }
}

fn mixed(a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

fn vector<const N: usize>(function: &str, mode: Mode, given: &[u8]) -> Result<[u8; N]> {
    if given.is_empty() {
        return Ok(rand::random());
    }
    given.try_into().map_err(|_| {
        parameter(&error_class::INVALID_PARAMETER_VALUE_AES_IV_LENGTH, function, "`iv`")
            .param("mode", mode.name())
            .param("actualLength", given.len().to_string())
    })
}

fn unsupported(class: &'static firesteel_model::ErrorClass, mode: Mode, function: &str) -> SparkError {
    SparkError::new(class).param("mode", mode.name()).param("functionName", format!("`{function}`"))
}

fn encrypt(a: &Args) -> Result<ArrayRef> {
    const NAME: &str = "aes_encrypt";
    let (text, key) = (a.binary(0)?, a.binary(1)?);
    let (modes, paddings, ivs, aads) = (a.text(2)?, a.text(3)?, a.binary(4)?, a.binary(5)?);
    a.try_binaries(|r| {
        let cipher = Cipher::new(NAME, key.value(r))?;
        let mode = Mode::parse(NAME, modes.value(r), paddings.value(r))?;
        let (text, iv, aad) = (text.value(r), ivs.value(r), aads.value(r));
        if mode == Mode::Ecb && !iv.is_empty() {
            return Err(unsupported(&error_class::UNSUPPORTED_FEATURE_AES_MODE_IV, mode, NAME));
        }
        if mode != Mode::Gcm && !aad.is_empty() {
            return Err(unsupported(&error_class::UNSUPPORTED_FEATURE_AES_MODE_AAD, mode, NAME));
        }
        Ok(Some(match mode {
            Mode::Ecb => cipher.encrypt_blocks(text, None),
            Mode::Cbc => {
                let iv = vector(NAME, mode, iv)?;
                [iv.to_vec(), cipher.encrypt_blocks(text, Some(iv))].concat()
            }
            Mode::Gcm => {
                let iv: [u8; GCM_IV] = vector(NAME, mode, iv)?;
                let payload = Payload { msg: text, aad };
                let sealed = with_cipher!(&cipher, |_block, gcm| gcm.encrypt((&iv).into(), payload));
                [iv.to_vec(), sealed.map_err(|_| failed(NAME))?].concat()
            }
        }))
    })
}

fn decrypt(a: &Args, name: &str) -> Result<ArrayRef> {
    let (bytes, key, modes, paddings, aads) = (a.binary(0)?, a.binary(1)?, a.text(2)?, a.text(3)?, a.binary(4)?);
    let is_try = name == "try_aes_decrypt";
    // Spark names the function without TRY in its errors.
    const NAME: &str = "aes_decrypt";
    let one = |r: usize| -> Result<Vec<u8>> {
        let cipher = Cipher::new(NAME, key.value(r))?;
        let mode = Mode::parse(NAME, modes.value(r), paddings.value(r))?;
        let (bytes, aad) = (bytes.value(r), aads.value(r));
        if mode != Mode::Gcm && !aad.is_empty() {
            return Err(unsupported(&error_class::UNSUPPORTED_FEATURE_AES_MODE_AAD, mode, NAME));
        }
        let (iv, sealed) = bytes.split_at_checked(mode.iv_length()).ok_or_else(|| failed(NAME))?;
        let opened = match mode {
            Mode::Ecb => cipher.decrypt_blocks(sealed, None),
            Mode::Cbc => iv.try_into().ok().and_then(|iv| cipher.decrypt_blocks(sealed, Some(iv))),
            Mode::Gcm => <[u8; GCM_IV]>::try_from(iv).ok().and_then(|iv| {
                let payload = Payload { msg: sealed, aad };
                with_cipher!(&cipher, |_block, gcm| gcm.decrypt((&iv).into(), payload)).ok()
            }),
        };
        opened.ok_or_else(|| failed(NAME))
    };
    a.try_binaries(|r| match one(r) {
        Ok(text) => Ok(Some(text)),
        Err(_) if is_try => Ok(None),
        Err(error) => Err(error),
    })
}
