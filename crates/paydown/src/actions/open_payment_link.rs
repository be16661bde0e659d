//! open_payment_link
