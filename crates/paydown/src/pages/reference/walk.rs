//! The first steps of somebody new to the API, from a customer to a recorded payment. A test takes each of them as it is
//! printed, so that the page cannot promise what the server does not do.

/// One call.
#[derive(Debug)]
pub struct Step {
    /// What it does, in a few words.
    pub title: &'static str,
    /// What one should know.
    pub about: &'static str,
    /// Method.
    pub method: &'static str,
    /// Path; `$CUSTOMER` and `$INVOICE` are what earlier answers named.
    pub path: &'static str,
    /// The Idempotency-Key, where one is sent.
    pub key: Option<&'static str>,
    /// Body, if it has one.
    pub body: Option<&'static str>,
    /// The variable that the answer's id is kept in.
    pub keeps: Option<&'static str>,
    /// Status of the answer.
    pub status: u16,
    /// The part of the answer that matters now.
    pub answer: &'static str,
}

/// The steps, in their order.
pub const WALK: [Step; 5] = [
    Step {
        title: "A customer",
        about: "The address is its first contact, who may sign in and see every invoice of it.",
        method: "POST",
        path: "/v1/customers",
        key: None,
        body: Some("{\"name\": \"Acme Inc.\", \"email\": \"pat@acme.example\"}"),
        keeps: Some("CUSTOMER"),
        status: 201,
        answer: "{\n  \"id\": \"$CUSTOMER\",\n  \"name\": \"Acme Inc.\"\n}",
    },
    Step {
        title: "An invoice",
        about: "A draft: nothing is owed yet. Amounts are cents here, so this is 1,250.00 USD.",
        method: "POST",
        path: "/v1/invoices",
        key: None,
        body: Some(
            "{\n  \"customer\": \"$CUSTOMER\",\n  \"currency\": \"usd\",\n  \"due_on\": \"2026-12-31\",\n  \"lines\": [\n    \
             {\"description\": \"Support, November\", \"quantity\": 25, \"unit_amount\": 5000}\n  ]\n}",
        ),
        keeps: Some("INVOICE"),
        status: 201,
        answer: "{\n  \"id\": \"$INVOICE\",\n  \"number\": null,\n  \"status\": \"draft\",\n  \"total\": 125000\n}",
    },
    Step {
        title: "Issue it",
        about: "From now on it is owed, has a number, and its customer sees it.",
        method: "POST",
        path: "/v1/invoices/$INVOICE/finalize",
        key: None,
        body: None,
        keeps: None,
        status: 200,
        answer: "{\n  \"id\": \"$INVOICE\",\n  \"status\": \"open\",\n  \"progress\": \"unpaid\",\n  \"open\": 125000,\n  \
                 \"payable_now\": 125000\n}",
    },
    Step {
        title: "Ask what may be paid",
        about: "The rule of the payment page, with nothing done. An amount that may not be paid is refused with the nearest \
                amounts that may.",
        method: "POST",
        path: "/v1/invoices/$INVOICE/quotes",
        key: None,
        body: Some("{\"amount\": 50000}"),
        keeps: None,
        status: 200,
        answer: "{\n  \"invoice\": \"$INVOICE\",\n  \"amount\": 50000,\n  \"left\": 75000,\n  \"full\": false\n}",
    },
    Step {
        title: "Record a payment",
        about: "A cheque came in the post. The Idempotency-Key is required here: make one for each payment and keep it for its \
                repeats.",
        method: "POST",
        path: "/v1/payments",
        key: Some("cheque-10077"),
        body: Some(
            "{\n  \"method\": \"cheque\",\n  \"reference\": \"10077\",\n  \"received_on\": \"2026-11-02\",\n  \
             \"currency\": \"usd\",\n  \"allocations\": [{\"invoice\": \"$INVOICE\", \"amount\": 50000}]\n}",
        ),
        keeps: None,
        status: 201,
        answer: "{\n  \"customer\": \"$CUSTOMER\",\n  \"method\": \"cheque\",\n  \"status\": \"succeeded\",\n  \"amount\": 50000\n}",
    },
];

impl Step {
    /// The call for a shell, with the address and the key in variables.
    pub fn command(&self) -> String {
        let method = if self.body.is_some() { "" } else { "-X POST " };
        let key = self.key.map_or_else(String::new, |key| format!(" \\\n  -H \"Idempotency-Key: {key}\""));
        let body = self.body.map_or_else(String::new, |body| format!(" \\\n  --json @- <<END\n{body}\nEND"));
        format!("curl {method}\"$PAYDOWN{}\" \\\n  -H \"Authorization: Bearer $KEY\"{key}{body}", self.path)
    }
}
