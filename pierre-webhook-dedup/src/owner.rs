//! `Owner`: who holds a claim.

use std::fmt;

use crate::error::StoreError;

/// Identifies the holder of a claim: 128 random bits, new for every claim.
///
/// A store compares owners to tell whether a claim is the caller's own. So an operation can be repeated if its
/// answer was lost, and a caller whose lease has expired can't touch another's claim. `Display` is 32 hex
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner([u8; 16]);

impl Owner {
    /// Creates a new owner.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't provide random bytes.
    ///
    /// ```
    /// use pierre_webhook_dedup::Owner;
    ///
    /// assert_ne!(Owner::random()?, Owner::random()?);
    /// # Ok::<(), pierre_webhook_dedup::StoreError>(())
    /// ```
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(StoreError::new)?;
        Ok(Self(bytes))
    }

    /// Returns the bits as bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_prints_as_32_hex_digits() {
        let owner = Owner([1; 16]);
        assert_eq!(owner.to_string(), "01".repeat(16));
        assert_eq!(format!("{owner:?}"), format!("Owner({owner})"));
        assert_eq!(owner.as_bytes(), &[1; 16]);
    }
}
