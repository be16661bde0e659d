//! Customer credit: money of a customer that we still hold, as a list of grants spent oldest first.

use crate::ids::GrantId;

/// A grant with something left, in the order in which grants are spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Which grant.
    pub id: GrantId,
    /// What is left of it, minor units, above 0.
    pub left_minor: i64,
}

/// How much of each grant goes to an invoice that can take `payable_minor`, oldest grant first. Entries are above 0.
pub fn spend(grants: &[Grant], payable_minor: i64) -> Vec<(GrantId, i64)> {
    let mut room = payable_minor.max(0);
    let mut parts = Vec::new();
    for grant in grants {
        let part = grant.left_minor.min(room);
        if part > 0 {
            parts.push((grant.id, part));
            room -= part;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(tag: u8, left_minor: i64) -> Grant {
        Grant { id: GrantId::from_bytes([tag; 16]), left_minor }
    }

    #[test]
    fn the_oldest_grant_is_spent_first_and_never_beyond_the_invoice() {
        let grants = [grant(1, 300), grant(2, 500)];
        assert_eq!(spend(&grants, 400), [(grants[0].id, 300), (grants[1].id, 100)]);
        assert_eq!(spend(&grants, 1000), [(grants[0].id, 300), (grants[1].id, 500)]);
        assert_eq!(spend(&grants, 0), []);
        assert_eq!(spend(&grants, -5), []);
    }
}
