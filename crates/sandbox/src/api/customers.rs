//! `/v1/customers`.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::Customer;
use crate::work::Work;

/// Makes a customer.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let email = form.take_short("email", 512)?;
    if let Some(address) = email.as_deref().filter(|address| !looks_like_email(address)) {
        return Err(ApiError::invalid(format!("Invalid email address: {address}"))
            .code("email_invalid")
            .param("email")
            .into());
    }
    let customer = Customer {
        id: work.next_id_of_length("cus_", 14)?,
        created: work.now,
        name: form.take_short("name", 256)?,
        email,
        phone: form.take_short("phone", 20)?,
        description: form.take_short("description", 500)?,
        metadata: form.take_metadata("metadata")?,
    };
    work.insert(&customer)?;
    work.event("customer.created", view(&customer))?;
    Reply::ok(view(&customer))
}

/// Reads one customer.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get::<Customer>(id, "id")?))
}

/// Lists customers, by e-mail if asked.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "email", "email")?;
    listing::answer(work, &query, "/v1/customers", view)
}

/// Whether a text is shaped like an address; more is for the mail to find out.
pub(crate) fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
    })
}

/// A customer as callers see it.
pub(crate) fn view(customer: &Customer) -> Value {
    json!({
        "id": customer.id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": customer.created,
        "currency": null,
        "default_source": null,
        "delinquent": false,
        "description": customer.description,
        "discount": null,
        "email": customer.email,
        "invoice_prefix": customer.id.trim_start_matches("cus_").chars().take(8).collect::<String>().to_uppercase(),
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": false,
        "metadata": customer.metadata,
        "name": customer.name,
        "next_invoice_sequence": 1,
        "phone": customer.phone,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    })
}
