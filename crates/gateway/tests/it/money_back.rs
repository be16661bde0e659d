//! Refunds, disputes and payouts: what is sent, what is read, and that lists are read to their end.

use crate::support::*;
use billing::dispute::DisputeState;
use billing::ids::{MerchantId, RefundId};
use billing::payout::PayoutState;
use billing::refund::RefundState;
use gateway::{
    CallError, CannotCharge, DisputeFacts, Evidence, EvidenceFile, EvidenceText, EvidenceUpload, LineKind,
    NewRefund, Processor, RefundReason, Span, UploadKind,
};
use ledger::{Currency, Money};
use serde_json::{Value, json};
use wiremock::matchers::{body_string, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn refund_id() -> RefundId {
    RefundId::new(at(1_700_000_000), [3; 10])
}

fn new_refund() -> NewRefund {
    NewRefund {
        refund: refund_id(),
        payment: request().payment,
        merchant: MerchantId(1),
        payment_intent_id: INTENT.to_owned(),
        amount: Money::new(12_500, Currency::USD),
        reason: Some(RefundReason::Requested),
    }
}

fn line(id: &str, amount: i64, fee: i64, kind: &str, category: &str) -> Value {
    json!({
        "id": id, "object": "balance_transaction", "amount": amount, "fee": fee, "net": amount - fee, "currency": "usd",
        "created": 1_700_500_000, "available_on": 1_700_600_000, "type": kind, "reporting_category": category,
        "source": "re_1", "exchange_rate": null,
    })
}

fn refund(status: &str) -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 12_500, "currency": "usd", "created": 1_700_400_000, "status": status,
        "charge": CHARGE, "payment_intent": INTENT, "reason": "requested_by_customer",
        "metadata": { "paydown_refund": refund_id().to_string(), "paydown_merchant": "mer_1" },
        "balance_transaction": line("txn_5", -12_500, 0, "refund", "refund"),
        "destination_details": { "type": "card", "card": { "reference": "7000123", "type": "refund" } },
    })
}

fn list(data: Value, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more })
}

#[test]
fn a_refund_names_its_payment_and_itself() {
    let stripe = stripe("http://127.0.0.1:9");
    let call = stripe.refund(&new_refund()).unwrap();
    assert_eq!(call.route, "POST /v1/refunds");
    let (refund, payment) = (refund_id().to_string(), new_refund().payment.to_string());
    let expected = [
        ("amount", "12500"),
        ("expand[]", "balance_transaction"),
        ("metadata[paydown_merchant]", "mer_1"),
        ("metadata[paydown_payment]", &payment),
        ("metadata[paydown_refund]", &refund),
        ("payment_intent", INTENT),
        ("reason", "requested_by_customer"),
    ];
    let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(parameters(&call), expected);
    let nothing = NewRefund { amount: Money::new(0, Currency::USD), reason: None, ..new_refund() };
    assert_eq!(stripe.refund(&nothing), Err(CannotCharge::NotPositive));
    // A part may be below what could be charged.
    let cent = NewRefund { amount: Money::new(1, Currency::USD), reason: None, ..new_refund() };
    assert!(!stripe.refund(&cent).unwrap().body.contains("reason"));
}

#[tokio::test]
async fn a_refund_is_sent_as_stored_and_says_where_it_stands() {
    let server = MockServer::start().await;
    let stripe = stripe(&server.uri());
    let call = stripe.refund(&new_refund()).unwrap();
    Mock::given(method("POST"))
        .and(path("/v1/refunds"))
        .and(header("Idempotency-Key", "rfd-key"))
        .and(body_string(call.body.clone()))
        .respond_with(ResponseTemplate::new(200).set_body_json(refund("pending")))
        .expect(1)
        .mount(&server)
        .await;
    let facts = stripe.send_refund(&call, "rfd-key").await.unwrap();
    assert_eq!((facts.state, facts.refund), (RefundState::Pending, Some(refund_id())));
    assert_eq!((facts.amount, facts.merchant), (Money::new(12_500, Currency::USD), Some(MerchantId(1))));
    assert_eq!(
        (facts.charge_id.as_deref(), facts.payment_intent_id.as_deref()),
        (Some(CHARGE), Some(INTENT))
    );
    let line = facts.line.unwrap();
    assert_eq!(
        (line.kind, line.amount.minor(), line.source_id.as_deref()),
        (LineKind::Refund, -12_500, Some("re_1"))
    );
    assert_eq!((line.created_at, line.available_at), (at(1_700_500_000), Some(at(1_700_600_000))));
    assert_eq!(facts.reference.as_deref(), Some("7000123"));
}

#[tokio::test]
async fn a_refund_that_is_refused_was_not_made_and_one_without_an_answer_may_have_been() {
    for (status, code, definitive) in
        [(400, "charge_already_refunded", true), (400, "charge_disputed", true), (500, "api_error", false)]
    {
        let server = MockServer::start().await;
        let error = json!({ "error": { "type": "invalid_request_error", "code": code } });
        answer(&server, "POST", "/v1/refunds", status, error).await;
        let stripe = stripe(&server.uri());
        let error = stripe.send_refund(&stripe.refund(&new_refund()).unwrap(), "key").await.unwrap_err();
        assert_eq!((error.is_definitive(), error.may_have_happened()), (definitive, !definitive), "{error}");
    }
}

#[tokio::test]
async fn a_refund_that_failed_late_says_why_and_what_came_back() {
    let server = MockServer::start().await;
    let mut failed = refund("failed");
    failed["failure_reason"] = json!("lost_or_stolen_card");
    failed["failure_balance_transaction"] = json!("txn_6");
    answer(&server, "GET", "/v1/refunds/re_1", 200, failed).await;
    let back = line("txn_6", 12_500, 0, "refund_failure", "refund_failure");
    answer(&server, "GET", "/v1/balance_transactions/txn_6", 200, back).await;
    let facts = stripe(&server.uri()).read_refund("re_1").await.unwrap();
    assert_eq!(
        (facts.state, facts.failure_reason.as_deref()),
        (RefundState::Failed, Some("lost_or_stolen_card"))
    );
    let back = facts.failure_line.unwrap();
    assert_eq!((back.kind, back.amount.minor()), (LineKind::RefundFailure, 12_500));
}

#[tokio::test]
async fn the_refunds_of_a_payment_are_read_to_the_end() {
    let server = MockServer::start().await;
    let of_payment = |after: Option<&str>| {
        let mock =
            Mock::given(method("GET")).and(path("/v1/refunds")).and(query_param("payment_intent", INTENT));
        match after {
            None => mock.and(query_param_is_missing("starting_after")),
            Some(id) => mock.and(query_param("starting_after", id)),
        }
    };
    let mut theirs = refund("succeeded");
    theirs["id"] = json!("re_2");
    theirs["metadata"] = json!({});
    let first = list(json!([theirs]), true);
    of_payment(None)
        .respond_with(ResponseTemplate::new(200).set_body_json(first))
        .expect(1)
        .mount(&server)
        .await;
    let last = list(json!([refund("succeeded")]), false);
    of_payment(Some("re_2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(last))
        .expect(1)
        .mount(&server)
        .await;
    let found = stripe(&server.uri()).list_refunds(INTENT).await.unwrap();
    let ours: Vec<_> = found.iter().map(|facts| (facts.id.as_str(), facts.refund)).collect();
    assert_eq!(ours, [("re_2", None), ("re_1", Some(refund_id()))]);
    let broken = MockServer::start().await;
    answer(&broken, "GET", "/v1/refunds", 200, list(json!([]), true)).await;
    assert!(matches!(stripe(&broken.uri()).list_refunds(INTENT).await, Err(CallError::Unreadable(_))));
}

fn dispute(status: &str) -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "livemode": false, "status": status, "amount": 20_000, "currency": "usd",
        "created": 1_700_700_000, "reason": "product_not_received", "charge": CHARGE, "payment_intent": INTENT,
        "balance_transactions": [line("txn_8", -20_000, 1_500, "adjustment", "dispute")],
        "evidence_details": { "due_by": 1_701_000_000, "has_evidence": false, "past_due": false, "submission_count": 0 },
        "payment_method_details": { "type": "card", "card": { "brand": "visa", "network_reason_code": "13.1" } },
    })
}

async fn read_dispute(dispute: Value) -> Result<DisputeFacts, CallError> {
    let server = MockServer::start().await;
    answer(&server, "GET", "/v1/disputes/dp_1", 200, dispute).await;
    stripe(&server.uri()).read_dispute("dp_1").await
}

#[tokio::test]
async fn a_dispute_says_where_it_stands_and_until_when() {
    let open = read_dispute(dispute("needs_response")).await.unwrap();
    assert_eq!((open.state, open.is_return), (DisputeState::NeedsResponse, false));
    assert_eq!(
        (open.amount, open.reason.as_str()),
        (Money::new(20_000, Currency::USD), "product_not_received")
    );
    assert_eq!((open.network_code.as_deref(), open.due_at), (Some("13.1"), Some(at(1_701_000_000))));
    assert_eq!((open.payment_intent_id.as_deref(), open.charge_id.as_deref()), (Some(INTENT), Some(CHARGE)));
    assert_eq!(open.fee(), Some(Money::new(1_500, Currency::USD)));
    assert_eq!((open.lines[0].kind, open.lines[0].amount.minor()), (LineKind::Dispute, -20_000));

    let mut late = dispute("needs_response");
    late["evidence_details"]["past_due"] = json!(true);
    assert_eq!(read_dispute(late).await.unwrap().due_at, None, "nothing is taken any more");
    let mut inquiry = dispute("warning_needs_response");
    inquiry["balance_transactions"] = json!([]);
    let inquiry = read_dispute(inquiry).await.unwrap();
    assert_eq!((inquiry.state, inquiry.fee()), (DisputeState::Inquiry, None), "no money has moved");

    let mut won = dispute("won");
    let mut back = line("txn_9", 20_000, -1_500, "adjustment", "dispute_reversal");
    back["created"] = json!(1_700_900_000);
    won["balance_transactions"] = json!([back, won["balance_transactions"][0]]);
    let won = read_dispute(won).await.unwrap();
    let kinds: Vec<_> = won.lines.iter().map(|line| line.kind).collect();
    assert_eq!((won.state, won.due_at), (DisputeState::Won, None));
    assert_eq!(kinds, [LineKind::Dispute, LineKind::DisputeReversal]);
    assert_eq!(won.fee(), Some(Money::zero(Currency::USD)), "the fee came back");

    let error = read_dispute(dispute("a_word_of_next_year")).await.unwrap_err();
    assert!(matches!(error, CallError::Unreadable(_)), "{error}");
    let mut live = dispute("lost");
    live["livemode"] = json!(true);
    assert_eq!(read_dispute(live).await.unwrap_err(), CallError::WrongMode { expected_live: false });
}

#[tokio::test]
async fn whether_it_is_a_return_the_charge_says() {
    for (details, is_return) in [
        (json!({ "type": "us_bank_account", "us_bank_account": { "last4": "6789" } }), true),
        (json!({ "type": "card", "card": { "last4": "4242" } }), false),
    ] {
        let server = MockServer::start().await;
        let mut silent = dispute("lost");
        silent["payment_method_details"] = json!(null);
        answer(&server, "GET", "/v1/disputes", 200, list(json!([silent]), false)).await;
        let charge = json!({
            "id": CHARGE, "object": "charge", "livemode": false, "created": 1_700_000_100, "payment_intent": INTENT,
            "payment_method_details": details,
        });
        answer(&server, "GET", "/v1/charges/ch_1", 200, charge).await;
        let stripe = stripe(&server.uri());
        let found = stripe.list_disputes(INTENT).await.unwrap();
        assert_eq!((found.len(), found[0].is_return), (1, is_return));
        assert_eq!(stripe.payment_of_charge(CHARGE).await.unwrap().as_deref(), Some(INTENT));
    }
}

#[tokio::test]
async fn evidence_is_sent_in_one_order_and_accepting_is_final() {
    let server = MockServer::start().await;
    let evidence = Evidence {
        texts: vec![
            (EvidenceText::Other, "We came twice.".to_owned()),
            (EvidenceText::CustomerName, "Ada Payer".to_owned()),
        ],
        files: vec![(EvidenceFile::Receipt, "file_1".to_owned())],
        submit: true,
    };
    let body = "evidence%5Bcustomer_name%5D=Ada+Payer&evidence%5Breceipt%5D=file_1\
                &evidence%5Buncategorized_text%5D=We+came+twice.&submit=true";
    Mock::given(method("POST"))
        .and(path("/v1/disputes/dp_1"))
        .and(header("Idempotency-Key", "evidence-1"))
        .and(body_string(body))
        .respond_with(ResponseTemplate::new(200).set_body_json(dispute("under_review")))
        .expect(1)
        .mount(&server)
        .await;
    let stripe_here = stripe(&server.uri());
    let sent = stripe_here.submit_evidence("dp_1", &evidence, "evidence-1").await.unwrap();
    assert_eq!(sent.state, DisputeState::UnderReview);

    let refusal = json!({ "error": { "type": "invalid_request_error", "message": "already closed" } });
    for (found, accepted) in [("lost", true), ("won", true), ("needs_response", false)] {
        let server = MockServer::start().await;
        answer(&server, "POST", "/v1/disputes/dp_1/close", 400, refusal.clone()).await;
        answer(&server, "GET", "/v1/disputes/dp_1", 200, dispute(found)).await;
        let answered = stripe(&server.uri()).accept_dispute("dp_1", "accept-1").await;
        assert_eq!(answered.is_ok(), accepted, "{found}: {answered:?}");
    }
    let server = MockServer::start().await;
    answer(&server, "POST", "/v1/disputes/dp_1/close", 200, dispute("lost")).await;
    let closed = stripe(&server.uri()).accept_dispute("dp_1", "accept-1").await.unwrap();
    assert_eq!(closed.state, DisputeState::Lost);
}

#[tokio::test]
async fn a_file_goes_out_whole_with_its_type() {
    let server = MockServer::start().await;
    answer(&server, "POST", "/v1/files", 200, json!({ "id": "file_1", "object": "file" })).await;
    let stripe = stripe(&server.uri());
    let content = b"%PDF-1.7\r\n--not a boundary\r\n\x00\xff".to_vec();
    let file = EvidenceUpload { kind: UploadKind::Pdf, content: content.clone() };
    assert_eq!(stripe.upload_evidence(&file, "file-1").await.unwrap(), "file_1");
    stripe.upload_evidence(&file, "file-1").await.unwrap();
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent[0].body, sent[1].body, "the same file is the same bytes");
    let kind = sent[0].headers.get("content-type").unwrap().to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = [
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n"
        )
        .as_bytes(),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"evidence.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n"
        )
        .as_bytes(),
        &content,
        format!("\r\n--{boundary}--\r\n").as_bytes(),
    ]
    .concat();
    assert_eq!(sent[0].body, expected);
    assert_eq!(sent[0].headers.get("idempotency-key").unwrap(), "file-1");
    for wrong in [0, 4 * 1024 * 1024 + 1] {
        let file = EvidenceUpload { kind: UploadKind::Png, content: vec![7; wrong] };
        assert!(matches!(stripe.upload_evidence(&file, "file-2").await, Err(CallError::NotSent(_))));
    }
}

fn payout(id: &str, status: &str, created: i64) -> Value {
    json!({
        "id": id, "object": "payout", "livemode": false, "amount": 47_020, "currency": "usd", "status": status,
        "created": created, "arrival_date": 1_700_265_600, "automatic": true, "balance_transaction": "txn_p",
        "failure_balance_transaction": null, "failure_code": null, "failure_message": null,
        "statement_descriptor": null,
    })
}

#[tokio::test]
async fn a_payout_says_how_much_when_and_why_not() {
    for (status, state) in [
        ("pending", PayoutState::Pending),
        ("in_transit", PayoutState::InTransit),
        ("paid", PayoutState::Paid),
        ("failed", PayoutState::Failed),
        ("canceled", PayoutState::Canceled),
    ] {
        let server = MockServer::start().await;
        let mut found = payout("po_1", status, 1_700_100_000);
        found["amount"] = json!(-500);
        found["failure_code"] = json!("account_closed");
        found["failure_balance_transaction"] = json!("txn_f");
        answer(&server, "GET", "/v1/payouts/po_1", 200, found).await;
        let facts = stripe(&server.uri()).read_payout("po_1").await.unwrap();
        assert_eq!((facts.state, facts.amount), (state, Money::new(-500, Currency::USD)), "{status}");
        assert_eq!((facts.arrives_at, facts.is_automatic), (at(1_700_265_600), true));
        assert_eq!(
            (facts.line_id.as_deref(), facts.failure_line_id.as_deref()),
            (Some("txn_p"), Some("txn_f"))
        );
        assert_eq!(facts.failure_code.as_deref(), Some("account_closed"));
    }
    let server = MockServer::start().await;
    answer(&server, "GET", "/v1/payouts/po_1", 200, payout("po_1", "a_word_of_next_year", 1)).await;
    assert!(matches!(stripe(&server.uri()).read_payout("po_1").await, Err(CallError::Unreadable(_))));
}

#[tokio::test]
async fn the_items_of_a_payout_add_up_to_it() {
    let server = MockServer::start().await;
    let page = |after: Option<&str>| {
        let mock = Mock::given(method("GET"))
            .and(path("/v1/balance_transactions"))
            .and(query_param("payout", "po_1"))
            .and(query_param("limit", "100"));
        match after {
            None => mock.and(query_param_is_missing("starting_after")),
            Some(id) => mock.and(query_param("starting_after", id)),
        }
    };
    let mut own = line("txn_p", -47_020, 0, "payout", "payout");
    own["source"] = json!("po_1");
    let mut failed_before = line("txn_3", 1_000, 0, "payout_failure", "payout_reversal");
    failed_before["source"] = json!("po_0");
    let mut fee = line("txn_2", -500, 0, "stripe_fee", "fee");
    fee["source"] = json!(null);
    let first = list(json!([own, failed_before]), true);
    page(None).respond_with(ResponseTemplate::new(200).set_body_json(first)).expect(1).mount(&server).await;
    let mut charge = line("txn_1", 48_000, 1_480, "charge", "charge");
    charge["source"] = json!({ "id": "ch_1", "object": "charge", "payment_intent": "pi_1" });
    charge["exchange_rate"] = serde_json::from_str("1.25").unwrap();
    let last = list(json!([fee, charge]), false);
    page(Some("txn_3"))
        .respond_with(ResponseTemplate::new(200).set_body_json(last))
        .expect(1)
        .mount(&server)
        .await;
    let items = stripe(&server.uri()).payout_items("po_1").await.unwrap();
    let kinds: Vec<_> = items.iter().map(|item| (item.id.as_str(), item.kind)).collect();
    let expected =
        [("txn_1", LineKind::Charge), ("txn_2", LineKind::Fee), ("txn_3", LineKind::PayoutReversal)];
    assert_eq!(kinds, expected, "its own line is no item of it");
    assert_eq!(items.iter().map(|item| item.net.minor()).sum::<i64>(), 47_020);
    assert_eq!(
        (items[0].source_id.as_deref(), items[0].payment_intent_id.as_deref()),
        (Some("ch_1"), Some("pi_1"))
    );
    assert_eq!((items[0].exchange_rate.as_deref(), items[1].source_id.as_deref()), (Some("1.25"), None));

    let server = MockServer::start().await;
    let mut odd = line("txn_1", 1, 0, "charge", "charge");
    odd["currency"] = json!("zzz");
    answer(&server, "GET", "/v1/balance_transactions", 200, list(json!([odd]), false)).await;
    let error = stripe(&server.uri()).payout_items("po_1").await.unwrap_err();
    assert!(
        matches!(error, CallError::Unreadable(_)),
        "items that cannot be read add up to nothing: {error}"
    );
}

#[tokio::test]
async fn payouts_are_listed_and_one_that_cannot_be_read_keeps_no_other_from_us() {
    let server = MockServer::start().await;
    let odd = json!({ "id": "po_odd", "object": "payout", "livemode": false });
    let data = list(
        json!([payout("po_2", "in_transit", 1_700_200_000), odd, payout("po_1", "paid", 1_700_100_000)]),
        false,
    );
    answer(&server, "GET", "/v1/payouts", 200, data).await;
    let span = Span { from: at(1_700_000_000), to: Some(at(1_700_300_000)) };
    let found = stripe(&server.uri()).list_payouts(span).await.unwrap();
    let ids: Vec<_> = found.payouts.iter().map(|payout| payout.id.as_str()).collect();
    assert_eq!((ids, found.rest), (vec!["po_2", "po_1"], None));
    let asked = &server.received_requests().await.unwrap()[0];
    for (name, value) in [("created[gte]", "1700000000"), ("created[lte]", "1700300000")] {
        assert!(asked.url.query_pairs().any(|pair| pair == (name.into(), value.into())), "{name}");
    }

    let server = MockServer::start().await;
    answer(&server, "GET", "/v1/payouts", 200, list(json!([payout("po_1", "paid", 1_700_100_000)]), true))
        .await;
    let found = stripe(&server.uri()).list_payouts(span).await.unwrap();
    assert_eq!(found.rest, Some(Span { from: span.from, to: Some(at(1_700_100_000)) }));

    let server = MockServer::start().await;
    let mut live = payout("po_1", "paid", 1_700_100_000);
    live["livemode"] = json!(true);
    answer(&server, "GET", "/v1/payouts", 200, list(json!([live]), false)).await;
    let error = stripe(&server.uri()).list_payouts(span).await.unwrap_err();
    assert_eq!(error, CallError::WrongMode { expected_live: false });
}
