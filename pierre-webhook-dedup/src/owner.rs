//! Who holds a claim.

use std::fmt;

use crate::error::StoreError;

/// Who holds a claim: 128 random bits, new for every claim.
///
/// A store tells by it whether a claim is the asker's own, so that an operation whose answer was lost can be
/// asked again, and whoever's lease has lapsed cannot touch the claim of another. `Display` is 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner([u8; 16]);

impl Owner {
    /// A new owner.
    ///
    /// # Errors
    ///
    /// Where the system has no random bytes.
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

    /// The bits.
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
