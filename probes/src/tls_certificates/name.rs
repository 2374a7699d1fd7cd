//! Distinguished names as text (RFC 4514), in the spelling of `openssl x509 -nameopt RFC2253,-esc_msb`.

use std::fmt::Write;

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Attribute types with OpenSSL's short names, which are those of RFC 4514 where that has one.
const TYPES: [(&str, &str); 24] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.97", "organizationIdentifier"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

/// Attributes that hold nothing but what names a person: their values are written `*`.
const PERSONAL: [&str; 4] = ["emailAddress", "SN", "GN", "UID"];

/// The name, the most specific part first.
pub(super) fn text(name: &X509Name<'_>) -> String {
    let numbered = name
        .iter_rdn()
        .enumerate()
        .flat_map(|(number, rdn)| rdn.iter().map(move |attribute| (number, attribute)));
    let attributes: Vec<_> = numbered.collect();
    let mut text = String::new();
    let mut before = None;
    for (number, attribute) in attributes.into_iter().rev() {
        match before {
            Some(before) if before == number => text.push('+'),
            Some(_) => text.push(','),
            None => {}
        }
        before = Some(number);
        push(&mut text, attribute);
    }
    text
}

fn push(text: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    let oid = attribute.attr_type().to_id_string();
    let known = TYPES.iter().find(|(number, _)| *number == oid);
    text.push_str(known.map_or(&oid, |(_, name)| name));
    text.push('=');
    if known.is_some_and(|(_, name)| PERSONAL.contains(name)) {
        text.push('*');
        return;
    }
    if let Some(value) = known.and_then(|_| characters(attribute.attr_value())) {
        push_escaped(text, &value);
        return;
    }
    text.push('#');
    for byte in attribute.attr_value().to_der_vec().unwrap_or_default() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
}

/// The characters of a string type of ASN.1; `None` for other types and for bytes that are not of the type.
fn characters(value: &Any<'_>) -> Option<String> {
    let bytes: &[u8] = value.data;
    match value.tag() {
        Tag::Utf8String => std::str::from_utf8(bytes).ok().map(str::to_owned),
        // Latin 1 in practice, and so read by OpenSSL, whatever T.61 says; the other types are subsets of it.
        Tag::T61String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            Some(bytes.iter().copied().map(char::from).collect())
        }
        Tag::BmpString => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            let characters: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
            characters.filter(|_| rest.is_empty())
        }
        Tag::UniversalString => {
            let (fours, rest) = bytes.as_chunks::<4>();
            let characters: Option<String> = fours
                .iter()
                .map(|four| char::from_u32(u32::from_be_bytes(*four)))
                .collect();
            characters.filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

fn push_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', c]),
            '#' if index == 0 => text.push_str("\\#"),
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(text, "\\{:02X}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
}
