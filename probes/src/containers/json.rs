//! What a file of a runtime says: what is not written is empty, what is of another type is malformed.

use serde_json::{Map, Value};

use crate::reading::{Reading, Unread};

/// A file of JSON.
pub(super) struct Json {
    pub(super) value: Value,
    /// How the file is named in what is told.
    place: String,
}

impl Json {
    /// Such files hold variables with secrets, and numbers of processes: no digest.
    pub(super) fn read(reading: &Reading<'_>, path: &str, shown: &str) -> Result<Option<Self>, Unread> {
        let Some(bytes) = reading.private(path, shown)? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            // serde_json's own text can hold what stands in the file.
            let reason = format!("no JSON at line {}, column {}", error.line(), error.column());
            reading.malformed(shown.to_owned(), reason)
        })?;
        Ok(Some(Self {
            value,
            place: shown.to_owned(),
        }))
    }

    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    pub(super) fn wrong(&self, pointer: &str, wanted: &str) -> Unread {
        Unread::Malformed {
            place: self.place.clone(),
            reason: format!("{pointer} is {wanted}"),
        }
    }

    pub(super) fn text(&self, pointer: &str) -> Result<&str, Unread> {
        self.at(pointer).map_or(Ok(""), |value| {
            value.as_str().ok_or_else(|| self.wrong(pointer, "no string"))
        })
    }

    pub(super) fn boolean(&self, pointer: &str) -> Result<bool, Unread> {
        self.at(pointer).map_or(Ok(false), |value| {
            value
                .as_bool()
                .ok_or_else(|| self.wrong(pointer, "neither true nor false"))
        })
    }

    /// As [`Self::boolean`], for what runtimes always write.
    pub(super) fn written(&self, pointer: &str) -> Result<bool, Unread> {
        match self.at(pointer) {
            Some(_) => self.boolean(pointer),
            None => Err(self.wrong(pointer, "not there")),
        }
    }

    pub(super) fn number(&self, pointer: &str) -> Result<i64, Unread> {
        self.at(pointer).map_or(Ok(0), |value| {
            value.as_i64().ok_or_else(|| self.wrong(pointer, "no whole number"))
        })
    }

    pub(super) fn list(&self, pointer: &str) -> Result<&[Value], Unread> {
        self.at(pointer).map_or(Ok(&[]), |value| {
            value
                .as_array()
                .map(Vec::as_slice)
                .ok_or_else(|| self.wrong(pointer, "no list"))
        })
    }

    pub(super) fn texts(&self, pointer: &str) -> Result<Vec<&str>, Unread> {
        let texts = self.list(pointer)?.iter().map(Value::as_str);
        texts
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong(pointer, "no list of strings"))
    }

    pub(super) fn object(&self, pointer: &str) -> Result<Option<&Map<String, Value>>, Unread> {
        self.at(pointer)
            .map(|value| value.as_object().ok_or_else(|| self.wrong(pointer, "no object")))
            .transpose()
    }
}
