//! deliver_mail
pub async fn mail_failure(
    _: &crate::app::App,
    _: billing::ids::MerchantId,
    _: billing::ids::PaymentId,
) -> anyhow::Result<()> {
    Ok(())
}
